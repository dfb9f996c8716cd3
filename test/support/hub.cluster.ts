import { HubProcess } from './hub.process.js';
import { TcpProxy } from './proxy.js';
import type { AckCuts } from './proxy.streams.js';
import { freePort } from './server.process.js';
import type { TestDatabase } from './test.database.js';
import { pick } from './ways.js';

interface HubClusterOptions {
  variables?: Record<string, string>;
  /** Further variables of each hub. */
  variablesOf?: (index: number) => Record<string, string>;
  /** The share of acknowledgements that are truncated, along with their connections. */
  ackCuts?: number;
  random?: () => number;
  /** Whether the hubs have crash points. */
  crash?: boolean;
}

interface Node {
  index: number;
  process: HubProcess;
  port: number;
  proxy: TcpProxy;
  cuts: AckCuts;
}

/** Several hub processes on one database, each behind a TCP proxy and restarted on its port after a kill. */
export class HubCluster {
  kills = 0;

  private constructor(
    private readonly databases: readonly TestDatabase[],
    private readonly options: HubClusterOptions,
    private readonly nodes: Node[],
  ) {}

  /** Starts the hubs on one database, or in turn on several URLs of it. */
  static async start(
    database: TestDatabase | readonly TestDatabase[],
    hubs: number,
    options: HubClusterOptions = {},
  ): Promise<HubCluster> {
    const cluster = new HubCluster([database].flat(), options, []);
    const starting = Array.from({ length: hubs }, (_, index) => cluster.addNode(index));
    cluster.nodes.push(...(await Promise.all(starting)));
    return cluster;
  }

  /** The proxies' URLs, which stay the same while a hub is down. */
  get urls(): string[] {
    return this.nodes.map(({ proxy }) => proxy.url);
  }

  /** Acknowledgements truncated so far. */
  get cutAcks(): number {
    return this.nodes.reduce((sum, { cuts }) => sum + cuts.cuts, 0);
  }

  /** Standard error of the running processes, without the driver's warning about a closing server. */
  get complaints(): string {
    const output = this.nodes.map(({ process }) => process.complaints).join('');
    return output.replaceAll(/^Warning: got packets out of order.*\n/gm, '');
  }

  /** Whether any of the hubs has exited. */
  get exited(): boolean {
    return this.nodes.some(({ process }) => process.hasEnded);
  }

  hub(index: number): HubProcess {
    return this.node(index).process;
  }

  /** Kills a hub with SIGKILL and restarts it on the same port. */
  async kill(index: number): Promise<void> {
    await this.hub(index).kill();
    await this.restart(index);
  }

  /** Restarts a hub once its process has exited. */
  async restart(index: number): Promise<void> {
    const node = this.node(index);
    await node.process.ended;
    this.kills += 1;
    node.process = await this.spawn(node);
  }

  async stop(): Promise<void> {
    for (const { process, proxy } of this.nodes) {
      process.thaw();
      await process.kill();
      await proxy.close();
    }
  }

  private async addNode(index: number): Promise<Node> {
    const { ackCuts = 0, random = Math.random } = this.options;
    const port = await freePort();
    const process = await this.spawn({ index, port });
    const proxy = await TcpProxy.before(process.url);
    const cuts = proxy.cutAcks(ackCuts, random);
    await proxy.open();
    return { index, process, port, proxy, cuts };
  }

  private spawn({ index, port }: Pick<Node, 'index' | 'port'>): Promise<HubProcess> {
    const { variables, variablesOf, crash = false } = this.options;
    return HubProcess.start(pick(this.databases, index), { ...variables, ...variablesOf?.(index) }, { port, crash });
  }

  private node(index: number): Node {
    const node = this.nodes[index % this.nodes.length];
    if (!node) throw new Error('There are no hubs');
    return node;
  }
}
