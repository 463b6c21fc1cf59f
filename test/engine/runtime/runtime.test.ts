import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSafetensors, readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { weightsOf } from '../../../lib/engine/checkpoint/weight-map.ts';
import type { WeightSource } from '../../../lib/engine/checkpoint/weight-source.ts';
import { PackedCache } from '../../../lib/engine/runtime/packed-cache.ts';
import { createRuntime, type RuntimeOptions } from '../../../lib/engine/runtime/runtime.ts';
import { float32 } from '../../../lib/engine/tensor/tensor.ts';
import { expected, input, maxDifference, network, writeWeights } from './support.ts';

/** float32 sums of 1152 products against float64; the values are of order 0.01. */
const tolerance = 1e-6;

let folder: string;
let cache: string;
let weights: WeightSource;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'encore-runtime-'));
  cache = join(folder, 'cache');
  weights = await writeWeights(folder);
});
afterEach(() => rm(folder, { recursive: true }));

const weightsPath = () => join(folder, 'weights.safetensors');
const entries = async () => (await readdir(cache)).filter((name) => !name.startsWith('tmp-'));
const runtimeOf = (options: RuntimeOptions = {}) =>
  createRuntime({ device: 'cpu', threads: 1, cache: { directory: cache, budgetBytes: 1e9 }, ...options });

/** Opens, runs once and closes everything, as one program run would. */
async function runOnce(graph = network(weights), feeds = input(), options: RuntimeOptions = {}) {
  const runtime = await runtimeOf(options);
  const session = await runtime.open(graph);
  const { y } = await session.run(feeds);
  await session.dispose();
  await runtime.dispose();
  return y;
}

describe('a session', () => {
  it('computes what the graph says, directly, when packing and from the packed cache', async () => {
    const truth = expected(await readSafetensors(weightsPath()), input().x);
    expect(maxDifference(truth, await runOnce(network(weights), input(), { cache: undefined }))).toBeLessThan(
      tolerance,
    );
    expect(maxDifference(truth, await runOnce())).toBeLessThan(tolerance);
    expect(await entries()).toHaveLength(1);
    expect(maxDifference(truth, await runOnce())).toBeLessThan(tolerance);
    expect(await entries()).toHaveLength(1);
  });

  it('refuses feeds that do not fit, naming them, and stays usable', async () => {
    const runtime = await runtimeOf({ cache: undefined });
    const session = await runtime.open(network(weights));
    await expect(session.run({})).rejects.toMatchObject({
      code: 'invalid_tensor',
      message: /input "x" is missing/,
    });
    await expect(session.run({ x: float32([1, 128, 8, 9]) })).rejects.toMatchObject({
      code: 'invalid_tensor',
      message: /must be float32 \[1, 128, 8, 8\], got float32 \[1, 128, 8, 9\]/,
    });
    await expect(session.run({ ...input(), z: float32([1]) })).rejects.toMatchObject({
      code: 'invalid_tensor',
    });
    expect((await session.run(input())).y?.shape).toEqual([1, 1024]);
    await session.dispose();
    await expect(session.run(input())).rejects.toMatchObject({ code: 'engine_failed' });
    await runtime.dispose();
  });

  it('says which file is damaged when weights vanish between reading the header and opening', async () => {
    const graph = network(weights);
    await rm(weightsPath());
    await expect(runOnce(graph)).rejects.toMatchObject({ code: 'checkpoint_not_found' });
    await writeWeights(folder);
    await truncate(weightsPath(), (await stat(weightsPath())).size - 4);
    await expect(runOnce(graph)).rejects.toMatchObject({ code: 'checkpoint_invalid', message: /cut short/ });
  });
});

describe('the packed cache', () => {
  it('packs equal weights of other sizes into one file', async () => {
    await runOnce();
    await runOnce(network(weights, { rows: 2, side: 16 }), input({ rows: 2, side: 16 }));
    const names = await entries();
    expect(names).toHaveLength(2);
    const inodes = await Promise.all(
      names.map(async (name) => (await stat(join(cache, name, 'weights.data'))).ino),
    );
    expect(new Set(inodes).size).toBe(1);
  });

  it('knows the weights wherever they lie, and notices new ones under the same name', async () => {
    // Copying tools keep times to the second at least.
    const changed = new Date('2026-01-02T03:04:05Z');
    await utimes(weightsPath(), changed, changed);
    const first = await runOnce();
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    const copy = join(elsewhere, 'copy.safetensors');
    await copyFile(weightsPath(), copy);
    await utimes(copy, changed, changed);
    await runOnce(network(weightsOf(copy, [await openSafetensors(copy)])));
    expect(await entries()).toHaveLength(1);

    const retrained = await writeWeights(folder, 2);
    const second = await runOnce(network(retrained));
    expect(await entries()).toHaveLength(2);
    expect(maxDifference(first, second)).toBeGreaterThan(1e-3);
    const truth = expected(await readSafetensors(weightsPath()), input().x);
    expect(maxDifference(truth, second)).toBeLessThan(tolerance);
  });

  it.each<[string, (entry: string) => Promise<void>]>([
    ['a flipped bit in the weights', (entry) => flipBit(join(entry, 'weights.data'))],
    ['a flipped bit in the graph', (entry) => flipBit(join(entry, 'model.onnx'))],
    ['weights cut short', (entry) => truncate(join(entry, 'weights.data'), 1000)],
    ['weights gone', (entry) => rm(join(entry, 'weights.data'))],
    ['an empty graph', (entry) => truncate(join(entry, 'model.onnx'), 0)],
    ['no manifest', (entry) => rm(join(entry, 'manifest.json'))],
    ['a manifest that is no JSON', (entry) => writeFile(join(entry, 'manifest.json'), '{"version": 1, "fi')],
    [
      'a manifest of another version',
      (entry) => writeFile(join(entry, 'manifest.json'), '{"version": 0, "files": {}}'),
    ],
  ])('notices %s and packs again', async (_, damage) => {
    const good = await runOnce();
    const entry = join(cache, (await entries())[0]!);
    const before = await readFile(join(entry, 'weights.data'));
    await damage(entry);
    expect(maxDifference(good, await runOnce())).toBe(0);
    expect((await readFile(join(entry, 'weights.data'))).equals(before)).toBe(true);
  });

  it('stays within its budget by removing what was used longest ago', async () => {
    await runOnce();
    const [oldest] = await entries();
    const size = (await stat(join(cache, oldest!, 'weights.data'))).size;
    const budget = { cache: { directory: cache, budgetBytes: size * 2.5 } };
    for (const seed of [2, 3]) await runOnce(network(await writeWeights(folder, seed)), input(), budget);
    const left = await entries();
    expect(left).toHaveLength(2);
    expect(left).not.toContain(oldest);
  });

  it('lets go of passing entries first, however lately they were used', async () => {
    const packed = new PackedCache({ directory: cache, budgetBytes: 2.5e6 });
    const write = (path: string) => writeFile(path, randomBytes(1e6));
    const [kept, passing, next] = ['a', 'b', 'c'].map((letter) => letter.repeat(32)) as [
      string,
      string,
      string,
    ];
    await packed.add(kept, write);
    await packed.add(passing, write, true);
    await packed.add(next, write);
    expect((await entries()).sort()).toEqual([kept, next]);
    expect(await packed.find(passing)).toBeUndefined();
  });

  it('packs passing graphs only where they are large', async () => {
    const runtime = await runtimeOf();
    const session = await runtime.open(network(weights), { passing: true });
    const truth = expected(await readSafetensors(weightsPath()), input().x);
    expect(maxDifference(truth, (await session.run(input())).y)).toBeLessThan(tolerance);
    await session.dispose();
    await runtime.dispose();
    await expect(entries()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not used where it cannot be written', async () => {
    await writeFile(cache, 'a file where the folder should be');
    const truth = expected(await readSafetensors(weightsPath()), input().x);
    expect(maxDifference(truth, await runOnce())).toBeLessThan(tolerance);
    expect(await readFile(cache, 'utf8')).toBe('a file where the folder should be');
  });

  it('serves several processes that make and open one entry at the same time', async () => {
    const run = promisify(execFile);
    const script = join(import.meta.dirname, 'open-once.ts');
    const outputs = await Promise.all(
      [1, 2, 3].map(() => run(process.execPath, ['--import', 'tsx', script, weightsPath(), cache])),
    );
    const mine = await runOnce();
    for (const { stdout } of outputs) {
      const theirs = Float32Array.from(JSON.parse(stdout) as number[]);
      expect(maxDifference(float32([8], theirs), float32([8], mine?.data.slice(0, 8) as Float32Array))).toBe(
        0,
      );
    }
    expect(await readdir(cache)).toHaveLength(1);
  });
});

describe('the runtime', () => {
  it('shares one session between users of a graph and keeps it warm afterwards', async () => {
    const runtime = await runtimeOf({ memoryBudgetBytes: 1e9 });
    const [a, b] = await Promise.all([runtime.open(network(weights)), runtime.open(network(weights))]);
    expect(runtime.held()).toMatchObject({ sessions: 1, idle: 0 });
    await a.dispose();
    await a.dispose();
    expect((await b.run(input())).y).toBeDefined();
    await b.dispose();
    expect(runtime.held()).toMatchObject({ sessions: 1, idle: 1 });
    await runtime.dispose();
    expect(runtime.held()).toEqual({ sessions: 0, idle: 0, bytes: 0 });
    await expect(runtime.open(network(weights))).rejects.toMatchObject({ code: 'engine_failed' });
  });

  it('releases idle sessions beyond its memory budget, the least recently used first', async () => {
    const sizes = [8, 16, 24];
    const unlimited = await runtimeOf({ cache: undefined });
    await (await unlimited.open(network(weights))).dispose();
    const each = unlimited.held().bytes;
    await unlimited.dispose();
    const runtime = await runtimeOf({ cache: undefined, memoryBudgetBytes: each * 2.5 });
    for (const side of sizes) await (await runtime.open(network(weights, { side }))).dispose();
    expect(runtime.held().sessions).toBeLessThan(sizes.length);
    expect(runtime.held().bytes).toBeLessThanOrEqual(each * 2.5);
    await runtime.dispose();
  });

  it('forgets a graph that could not be opened, so that it can be tried again', async () => {
    const runtime = await runtimeOf();
    const graph = network(weights);
    await rm(weightsPath());
    await expect(runtime.open(graph)).rejects.toMatchObject({ code: 'checkpoint_not_found' });
    await writeWeights(folder);
    const session = await runtime.open(graph);
    expect((await session.run(input())).y?.shape).toEqual([1, 1024]);
    await session.dispose();
    await runtime.dispose();
  });
});

async function flipBit(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const middle = Math.floor((await file.stat()).size / 2);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, middle);
    await file.write(Buffer.of(byte[0]! ^ 4), 0, 1, middle);
  } finally {
    await file.close();
  }
}
