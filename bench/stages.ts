// Sums CPU profiles by stage, by where the code stands that ran. `npm run bench -- --profile <folder>` prints it for each run;
// of a profile by itself:   node dist/.bench/bench/stages.js <file.cpuprofile> <messages in it>
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string };
  hitCount?: number;
  children?: number[];
}
interface Profile {
  nodes: ProfileNode[];
  startTime: number;
  endTime: number;
  samples: number[];
  timeDeltas: number[];
}

/** The thread had nothing to do: it waited for the database, mostly for its commit, or for clients. */
export const WAITING = 'waiting';

/** The first that fits decides. What fits none is counted to whoever called it: `JSON.stringify` to what it was needed for. */
const STAGES: [stage: string, where: RegExp][] = [
  [WAITING, /^\(idle\)/],
  ['garbage collection', /^\(garbage collector\)/],
  ['parse', /dist\/contract\/|node_modules\/zod/],
  ['queue', /dist\/commands\/(command\.queue|waiting\.line|command)\.js/],
  ['load', /dist\/commands\/(batch\.load|order\.columns)\.js/],
  ['settle', /dist\/commands\/(decide|world|.*\.rules)\.js/],
  ['save', /dist\/commands\/batch\.save\.js/],
  ['batch', /dist\/commands\/(command\.batch)\.js|dist\/platform\/database\.js/],
  ['commit', / (commitTransaction|commit) .*(dist|typeorm)/],
  ['answer', /dist\/(commands\/(order|book)\.view|orders\/|platform\/(http|message|faults|error))/],
  ['push', /dist\/rooms\//],
  [
    'journal',
    /dist\/platform\/(journal|metrics|tracing|logger|security|laps|tally)|node_modules\/(prom-client|pino|@opentelemetry)/,
  ],
  ['limits', /dist\/platform\/(limits|token\.bucket|gate|bounded|deadline|rest)/],
  ['adapter', /dist\/platform\/(socket|connections|unsent|caller)/],
  ['Socket.IO', /node_modules\/(socket\.io|engine\.io|ws|@socket\.io)/],
  ['embedded engine', /dist\/platform\/embedded|node_modules\/@photostructure/],
  [
    'driver',
    /dist\/platform\/(server\.driver|pipelining)\.js|node_modules\/(mysql2|typeorm|sqlstring|denque|long|iconv-lite|generate-function|lru)/,
  ],
  ['Nest, validation', /node_modules\/(@nestjs|rxjs|class-validator|class-transformer|validator|reflect-metadata)/],
  ['the baseline', /\.bench\/bench\/systems/],
  ['the probe', /\.bench\/bench\/|node:inspector/],
  ['node: program', /^\(program\)/],
];
const OTHER = 'other';

export interface Stage {
  stage: string;
  us: number;
}

/** Microseconds of each stage for one message, the largest first, and how long there was nothing to do. */
export function sumStages(profile: Profile, messages: number): Stage[] {
  const stageOf = stagesOfNodes(profile.nodes);
  const totals = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const stage = stageOf.get(id) ?? OTHER;
    // A delta says how long it took until this sample: so long ran what was seen at the one before.
    totals.set(stage, (totals.get(stage) ?? 0) + Math.max(0, profile.timeDeltas[index + 1] ?? 0));
  });
  return [...totals]
    .map(([stage, us]) => ({ stage, us: Number((us / messages).toFixed(2)) }))
    .sort((a, b) => Number(a.stage === WAITING) - Number(b.stage === WAITING) || b.us - a.us);
}

/** What the thread worked for one message. */
export function workOf(stages: readonly Stage[]): number {
  return stages.reduce((sum, { stage, us }) => sum + (stage === WAITING ? 0 : us), 0);
}

function stagesOfNodes(nodes: readonly ProfileNode[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stages = new Map<number, string>();
  const visit = (node: ProfileNode, caller: string) => {
    const stage = stageOfFrame(node) ?? caller;
    stages.set(node.id, stage);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child) visit(child, stage);
    }
  };
  const [root] = nodes;
  if (root) visit(root, OTHER);
  return stages;
}

function stageOfFrame({ callFrame: { functionName, url } }: ProfileNode): string | undefined {
  const where = url === '' ? functionName : ` ${functionName} ${url}`;
  return STAGES.find(([, pattern]) => pattern.test(where))?.[0];
}

export function readStages(file: string, messages: number): Stage[] {
  return sumStages(JSON.parse(readFileSync(file, 'utf8')) as Profile, messages);
}

/** Where the time went, as lines to print. */
export function stageLines(stages: readonly Stage[]): string {
  const line = (us: number, says: string) => `${us.toFixed(2).padStart(10)}  ${says}`;
  const lines = stages.map(({ us, stage }) => line(us, stage));
  return [...lines, line(workOf(stages), 'µs of work for each message, of one thread, with the profiler’s own')].join(
    '\n',
  );
}

const [, script, file, messages] = process.argv;
if (script && import.meta.url === pathToFileURL(script).href) {
  if (!file || !messages) throw new Error('Say which profile, and how many messages are in it');
  console.log(stageLines(readStages(file, Number(messages))));
}
