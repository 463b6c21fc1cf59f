import { cpus } from 'node:os';
import { Worker } from 'node:worker_threads';
import { runtimeVersion } from '../lib/engine/runtime/ort.ts';

/** What one call took. */
export interface Cost {
  /** Wall-clock seconds. */
  wall: number;
  /** Processor seconds of all threads together: what is left of the truth when the machine has other work. */
  cpu: number;
}

export async function timed<T>(work: () => Promise<T>): Promise<Cost & { result: T }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { result, wall, cpu: (user + system) / 1e6 };
}

/**
 * Runs each piece of work once to warm it, then `rounds` times in turn, so that a busy spell of the machine falls on all
 * of them alike. The best of each: other work on the machine can only add to a figure.
 */
export async function inTurns<K extends string>(
  work: Readonly<Record<K, () => Promise<unknown>>>,
  rounds: number,
  log: (line: string) => void = () => {},
): Promise<Record<K, Cost>> {
  const names = Object.keys(work) as K[];
  const costs = new Map<K, Cost[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const { wall, cpu } = await timed(work[name]);
      if (round > 0) costs.get(name)!.push({ wall, cpu });
      log(
        `${round === 0 ? 'warm-up' : `round ${round}`} ${name}: ${wall.toFixed(2)} s, ${cpu.toFixed(2)} processor s`,
      );
    }
  }
  const of = (name: K, key: keyof Cost) => Math.min(...costs.get(name)!.map((cost) => cost[key]));
  return Object.fromEntries(
    names.map((name) => [name, { wall: of(name, 'wall'), cpu: of(name, 'cpu') }]),
  ) as Record<K, Cost>;
}

/**
 * Most private memory (RssAnon, Linux only) while `work` runs, in bytes, sampled every 5 ms from a thread of its own:
 * the main thread is blocked inside onnxruntime.
 */
export async function peakPrivateBytes<T>(work: () => Promise<T>): Promise<{ result: T; peak: number }> {
  const sampler = new Worker(samplerSource, { eval: true });
  await new Promise((ready) => sampler.once('message', ready));
  try {
    const result = await work();
    const peak = new Promise<number>((done) => sampler.once('message', done));
    sampler.postMessage('stop');
    return { result, peak: await peak };
  } finally {
    await sampler.terminate();
  }
}

const samplerSource = `
const { parentPort } = require('node:worker_threads');
const { readFileSync } = require('node:fs');
let peak = 0;
const sample = () => {
  const anon = /RssAnon:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  peak = Math.max(peak, Number(anon?.[1] ?? NaN) * 1024);
};
setInterval(sample, 5);
parentPort.on('message', () => parentPort.postMessage(peak));
sample();
parentPort.postMessage('ready');
`;

/** What figures depend on. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${cpus().length} x ${model}, ${process.platform}-${process.arch}, Node ${process.versions.node}, onnxruntime ${runtimeVersion}`;
}

export const seconds = (value: number) =>
  value < 1 ? `${(value * 1000).toFixed(1)} ms` : `${value.toFixed(2)} s`;
/** Wall clock and processor seconds; ratios are taken from the second. */
export const shown = ({ wall, cpu }: Cost) => `${seconds(wall)} (${seconds(cpu)} of processor)`;
export const ratio = (value: number) => value.toFixed(2);
export const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
