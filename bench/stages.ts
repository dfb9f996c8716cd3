// Sums a CPU profile by stage, from the file and function of each sample. `npm run bench -- --profile <folder>` prints it
// for every run; for a single profile:   node dist/.bench/bench/stages.js <file.cpuprofile> <messages in it>
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

/** Idle thread: waiting for the database, mostly its commit, or for clients. */
export const WAITING = 'waiting';
const OTHER = 'other';

interface StageRule {
  /** The name in docs/performance.json. */
  stage: string;
  label?: string;
  pattern: RegExp;
}

/** The first match wins. A frame that matches none belongs to its caller: `JSON.stringify` to the stage that needed it. */
const RULES: StageRule[] = [
  { stage: WAITING, label: 'idle', pattern: /^\(idle\)/ },
  { stage: 'garbage collection', pattern: /^\(garbage collector\)/ },
  { stage: 'parse', label: 'parse and validate', pattern: /dist\/contract\/|node_modules\/zod/ },
  { stage: 'queue', pattern: /dist\/commands\/(command\.queue|command\.backlog|command)\.js/ },
  {
    stage: 'load',
    label: 'load batch',
    pattern: /dist\/commands\/batch\.loader\.js|dist\/(commands|orders)\/order\.columns\.js/,
  },
  {
    stage: 'settle',
    label: 'execute rules',
    pattern:
      /dist\/commands\/(command\.executor|unit\.of\.work)\.js|dist\/(commands|orders|stores|wallets)\/[\w.]+\.(rules|handlers)\.js/,
  },
  { stage: 'save', label: 'write batch', pattern: /dist\/commands\/batch\.writer\.js/ },
  {
    stage: 'batch',
    label: 'transaction',
    pattern: /dist\/commands\/command\.batch\.js|dist\/platform\/database\/database\.js/,
  },
  { stage: 'commit', pattern: / (commitTransaction|commit) .*(dist|typeorm)/ },
  {
    stage: 'answer',
    label: 'present answer',
    pattern:
      /dist\/(commands|orders|stores|wallets)\/[\w.]+\.presenter\.js|dist\/(orders\/|platform\/(http\/|error\.mapper))/,
  },
  { stage: 'push', label: 'publish events', pattern: /dist\/rooms\// },
  {
    stage: 'journal',
    label: 'logs and metrics',
    pattern: /dist\/platform\/observability\/|node_modules\/(prom-client|pino|@opentelemetry)/,
  },
  { stage: 'limits', label: 'rate limits', pattern: /dist\/platform\/limits\// },
  { stage: 'adapter', label: 'socket adapter', pattern: /dist\/platform\/(sockets\/|caller)/ },
  { stage: 'Socket.IO', pattern: /node_modules\/(socket\.io|engine\.io|ws|@socket\.io)/ },
  {
    stage: 'embedded engine',
    label: 'SQLite',
    pattern: /dist\/platform\/database\/embedded|node_modules\/@photostructure/,
  },
  {
    stage: 'driver',
    label: 'server driver',
    pattern:
      /dist\/platform\/database\/(server\.driver|pipelining)\.js|node_modules\/(mysql2|typeorm|sqlstring|denque|long|iconv-lite|generate-function|lru)/,
  },
  {
    stage: 'Nest, validation',
    pattern: /node_modules\/(@nestjs|rxjs|class-validator|class-transformer|validator|reflect-metadata)/,
  },
  { stage: 'the baseline', label: 'baseline', pattern: /\.bench\/bench\/systems/ },
  { stage: 'the probe', label: 'probe', pattern: /\.bench\/bench\/|node:inspector/ },
  { stage: 'node: program', label: 'native code', pattern: /^\(program\)/ },
];
const LABELS = new Map(RULES.map(({ stage, label }) => [stage, label ?? stage]));

export function labelOf(stage: string): string {
  return LABELS.get(stage) ?? stage;
}

export interface Stage {
  stage: string;
  us: number;
}

/** Microseconds of each stage per message, the largest first and idle time last. */
export function sumStages(profile: Profile, messages: number): Stage[] {
  const stageOf = stagesOfNodes(profile.nodes);
  const totals = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const stage = stageOf.get(id) ?? OTHER;
    // A time delta precedes its sample, so a sample lasts until the next one.
    totals.set(stage, (totals.get(stage) ?? 0) + Math.max(0, profile.timeDeltas[index + 1] ?? 0));
  });
  return [...totals]
    .map(([stage, us]) => ({ stage, us: Number((us / messages).toFixed(2)) }))
    .sort((a, b) => Number(a.stage === WAITING) - Number(b.stage === WAITING) || b.us - a.us);
}

/** Microseconds per message of all stages but idle time. */
export function totalWork(stages: readonly Stage[]): number {
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
  const frame = url === '' ? functionName : ` ${functionName} ${url}`;
  return RULES.find(({ pattern }) => pattern.test(frame))?.stage;
}

export function readStages(file: string, messages: number): Stage[] {
  return sumStages(JSON.parse(readFileSync(file, 'utf8')) as Profile, messages);
}

/** The stages as aligned text. */
export function stageTable(stages: readonly Stage[]): string {
  const row = (us: number, label: string) => `${us.toFixed(2).padStart(10)}  ${label}`;
  return [
    ...stages.map(({ us, stage }) => row(us, labelOf(stage))),
    row(totalWork(stages), 'µs of CPU time per message on the main thread, profiler included'),
  ].join('\n');
}

const [, script, file, messages] = process.argv;
if (script && import.meta.url === pathToFileURL(script).href) {
  if (!file || !messages) throw new Error('Usage: stages.js <file.cpuprofile> <messages in it>');
  console.log(stageTable(readStages(file, Number(messages))));
}
