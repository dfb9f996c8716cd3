import { HubProcess } from './hub.process.js';
import { TcpProxy } from './proxy.js';
import type { AckCuts } from './proxy.streams.js';
import { freePort } from './server.process.js';
import type { TestDatabase } from './test.database.js';

interface FleetOptions {
  variables?: Record<string, string>;
  /** The share of acknowledgements that are cut off in the middle, and their connections with them. */
  ackCuts?: number;
  random?: () => number;
  /** Whether the hubs can be told where to crash. */
  crash?: boolean;
}

interface Place {
  process: HubProcess;
  port: number;
  line: TcpProxy;
  cuts: AckCuts;
}

/** Several hub processes on one database, each behind a line to its clients, and each started again when it was ended. */
export class Fleet {
  kills = 0;

  private constructor(
    private readonly database: TestDatabase,
    private readonly options: FleetOptions,
    private readonly places: Place[],
  ) {}

  static async start(database: TestDatabase, hubs: number, options: FleetOptions = {}): Promise<Fleet> {
    const fleet = new Fleet(database, options, []);
    const starting = Array.from({ length: hubs }, () => fleet.open());
    fleet.places.push(...(await Promise.all(starting)));
    return fleet;
  }

  /** Where clients find the hubs, also while one of them is down. */
  get urls(): string[] {
    return this.places.map(({ line }) => line.url);
  }

  /** Acknowledgements that were cut off until now. */
  get cutAcks(): number {
    return this.places.reduce((sum, { cuts }) => sum + cuts.cuts, 0);
  }

  /** What any of the processes that run now has said on standard error, but for what the driver says by itself of a server's goodbye. */
  get complaints(): string {
    const said = this.places.map(({ process }) => process.complaints).join('');
    return said.replaceAll(/^Warning: got packets out of order.*\n/gm, '');
  }

  hub(index: number): HubProcess {
    return this.place(index).process;
  }

  /** Ends one of them as a power cut would, and starts it again on the same port. */
  async kill(index: number): Promise<void> {
    await this.hub(index).kill();
    await this.startAgain(index);
  }

  /** Starts one again that has ended. */
  async startAgain(index: number): Promise<void> {
    const place = this.place(index);
    await place.process.ended;
    this.kills += 1;
    place.process = await this.startAt(place.port);
  }

  async stop(): Promise<void> {
    for (const { process, line } of this.places) {
      process.thaw();
      await process.kill();
      await line.close();
    }
  }

  private async open(): Promise<Place> {
    const { ackCuts = 0, random = Math.random } = this.options;
    const port = await freePort();
    const process = await this.startAt(port);
    const line = await TcpProxy.before(process.url);
    const cuts = line.cutAcks(ackCuts, random);
    await line.open();
    return { process, port, line, cuts };
  }

  private startAt(port: number): Promise<HubProcess> {
    const { variables, crash = false } = this.options;
    return HubProcess.start(this.database, variables, { port, crash });
  }

  private place(index: number): Place {
    const place = this.places[index % this.places.length];
    if (!place) throw new Error('There are no hubs');
    return place;
  }
}
