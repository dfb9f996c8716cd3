// Loaded into each system alike, before its own code: tells the runner what the operating system does not know.
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { dirname } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { answer } from './child.js';
import type { Probed, ToProbe } from './wire.js';

/** What is measured holds this much besides what the loop was late. */
const EVERY_MS = 10;
const SAMPLE_EVERY_US = 200;
const SETTLES_WITHIN_MS = 1_000;

const delay = monitorEventLoopDelay({ resolution: EVERY_MS });
let loop = performance.eventLoopUtilization();
let profiler: Session | undefined;

async function begin(profile: boolean): Promise<void> {
  if (profile) {
    profiler = new Session();
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
    await profiler.post('Profiler.start');
  }
  delay.enable();
  delay.reset();
  loop = performance.eventLoopUtilization();
}

async function end(ms: number, profile?: string): Promise<Probed> {
  const { utilization } = performance.eventLoopUtilization(loop);
  delay.disable();
  const late = (ns: number) => Math.max(0, Math.round(ns / 1_000 - EVERY_MS * 1_000));
  // A loop that did not turn meanwhile has measured nothing, and was late all the time.
  const allNs = ms * 1_000_000;
  const [p99Ns, maxNs] = delay.count > 0 ? [delay.percentile(99), delay.max] : [allNs, allNs];
  const probed = { loopP99Us: late(p99Ns), loopMaxUs: late(maxNs), busy: utilization };
  if (profile && profiler) {
    const { profile: samples } = await profiler.post('Profiler.stop');
    mkdirSync(dirname(profile), { recursive: true });
    writeFileSync(profile, JSON.stringify(samples));
  }
  return probed;
}

/** Lets go of what nobody needs, so that what is held is what is measured. */
async function settle(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await sleep(SETTLES_WITHIN_MS);
  collect();
  collect();
  await sleep(SETTLES_WITHIN_MS);
}

if (process.send) {
  answer(async (question: ToProbe) => {
    if (question.say === 'begin') return begin(question.profile);
    if (question.say === 'end') return end(question.ms, question.profile);
    return settle();
  });
  // A system ends as it does without a probe.
  process.channel?.unref();
}
