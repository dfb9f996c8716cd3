// Loaded into every system before its own code (`--import`): measures its event loop, profiles its CPU and collects its garbage on request.
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { dirname } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { serveRequests } from './child.js';
import type { Probed, ProbeRequest } from './wire.js';

/** Included in every measured delay, so it is subtracted. */
const RESOLUTION_MS = 10;
const SAMPLING_INTERVAL_US = 200;
const SETTLE_MS = 1_000;

const loopDelay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
let utilizationAtStart = performance.eventLoopUtilization();
let profiler: Session | undefined;

async function begin(profile: boolean): Promise<void> {
  if (profile) {
    profiler = new Session();
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
    await profiler.post('Profiler.start');
  }
  loopDelay.enable();
  loopDelay.reset();
  utilizationAtStart = performance.eventLoopUtilization();
}

async function end(ms: number, profile?: string): Promise<Probed> {
  const { utilization } = performance.eventLoopUtilization(utilizationAtStart);
  loopDelay.disable();
  const delayUs = (ns: number) => Math.max(0, Math.round(ns / 1_000 - RESOLUTION_MS * 1_000));
  // A loop blocked for the whole window records no sample: its delay is the window.
  const windowNs = ms * 1_000_000;
  const [p99Ns, maxNs] = loopDelay.count > 0 ? [loopDelay.percentile(99), loopDelay.max] : [windowNs, windowNs];
  const probed = { loopP99Us: delayUs(p99Ns), loopMaxUs: delayUs(maxNs), busy: utilization };
  if (profile && profiler) {
    const { profile: samples } = await profiler.post('Profiler.stop');
    mkdirSync(dirname(profile), { recursive: true });
    writeFileSync(profile, JSON.stringify(samples));
  }
  return probed;
}

/** Frees garbage, so that resident memory shows what is in use. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await sleep(SETTLE_MS);
  collect();
  collect();
  await sleep(SETTLE_MS);
}

if (process.send) {
  serveRequests(async (request: ProbeRequest) => {
    if (request.type === 'begin') return begin(request.profile);
    if (request.type === 'end') return end(request.ms, request.profile);
    return collectGarbage();
  });
  // The probe must not keep the system alive at shutdown.
  process.channel?.unref();
}
