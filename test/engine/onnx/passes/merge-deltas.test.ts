import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Factor, WeightDelta, WeightDeltas } from '../../../../lib/engine/checkpoint/lora/delta.ts';
import { openSafetensors, writeSafetensors } from '../../../../lib/engine/checkpoint/safetensors.ts';
import { weightsOf } from '../../../../lib/engine/checkpoint/weight-map.ts';
import type { WeightRef } from '../../../../lib/engine/checkpoint/weight-source.ts';
import { GraphBuilder } from '../../../../lib/engine/onnx/builder.ts';
import { mergeDeltas } from '../../../../lib/engine/onnx/passes/merge-deltas.ts';
import { verify } from '../../../../lib/engine/onnx/verify.ts';
import { createRuntime } from '../../../../lib/engine/runtime/runtime.ts';
import { sizeOf, type Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import { expectForward } from '../../../support/parity.ts';
import { input, network, writeWeights } from '../../runtime/support.ts';
import { random, runGraph } from '../../support/graphs.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'encore-deltas-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
/** Tensors in a file of their own, as references into it. */
async function stored(shapes: Record<string, readonly number[]>) {
  const path = join(folder, `${files++}.safetensors`);
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, random(shape, 10 * files + i)]),
  );
  await writeSafetensors(path, tensors);
  const file = await openSafetensors(path);
  const ref = (name: string): WeightRef => file.tensors.get(name)!;
  return { tensors, file, ref };
}

type Stored = Awaited<ReturnType<typeof stored>>;

async function mergedWeight(base: Stored, deltas: WeightDeltas): Promise<Tensor> {
  const g = GraphBuilder.create('merged', { weights: weightsOf('base', [base.file]) });
  g.output('y', g.add(g.weight('w'), g.input('zero', 'float32', [1])));
  const merged = mergeDeltas(g.finish(), deltas);
  verify(merged);
  return (await runGraph(merged, { zero: { dtype: 'float32', shape: [1], data: new Float32Array(1) } }))[
    'y'
  ]!;
}

const at = ({ data, shape }: Tensor, ...index: number[]) =>
  Number(data[index.reduce((sum, i, axis) => sum * shape[axis]! + i, 0)]);

/** Element by element in float64, from the formula. */
function change(
  shape: readonly number[],
  element: (o: number, i: number, k: number) => number,
): Float64Array {
  const [out = 0, channels = 0, ...kernel] = shape;
  const positions = sizeOf(kernel);
  return Float64Array.from({ length: sizeOf(shape) }, (_, n) =>
    element(Math.floor(n / (channels * positions)), Math.floor(n / positions) % channels, n % positions),
  ).subarray(0, out * channels * positions);
}

function sum(count: number, term: (r: number) => number): number {
  let total = 0;
  for (let r = 0; r < count; r++) total += term(r);
  return total;
}

function expectMerged(actual: Tensor, base: Tensor, d: Float64Array, what: string) {
  expect(
    d.some((value) => value !== 0),
    what,
  ).toBe(true);
  expect(actual.shape, what).toEqual(base.shape);
  // Two elements may happen to be alike, so the measure is their size and not their spread.
  const size = Math.max(...Array.from(d, (change, n) => Math.abs(change) + Math.abs(Number(base.data[n]))));
  d.forEach((change, n) => {
    const [is, wanted] = [Number(actual.data[n]), Number(base.data[n]) + change];
    expect(Math.abs(is - wanted), `${what}: element ${n} is ${is}, expected ${wanted}`).toBeLessThan(
      4e-6 * size,
    );
  });
}

const pair = (from: Stored, a: string, b: string, core: string | null = null): Factor => ({
  a: from.ref(a),
  b: from.ref(b),
  core: core === null ? null : from.ref(core),
  transposed: core !== null,
});
const delta = (more: Partial<WeightDelta>): WeightDelta => ({
  source: 'test',
  combine: 'plain',
  factors: [],
  scale: 1,
  magnitude: null,
  ...more,
});

const sizes = fc.record({
  out: fc.integer({ min: 1, max: 3 }),
  channels: fc.integer({ min: 2, max: 3 }),
  rank: fc.integer({ min: 1, max: 3 }),
  kernel: fc.constantFrom<number[]>([], [1, 1], [3, 3]),
});
const check = (
  property: (size: { out: number; channels: number; rank: number; kernel: number[] }) => Promise<void>,
) => fc.assert(fc.asyncProperty(sizes, property), { numRuns: 8 });

describe('mergeDeltas against the formulas', () => {
  it('low rank, with scale, weight and several at once', () =>
    check(async ({ out, channels, rank, kernel }) => {
      const shape = [out, channels, ...kernel];
      const base = await stored({ w: shape });
      const [one, two] = [
        await stored({ a: [out, rank], b: [rank, channels, ...kernel] }),
        await stored({ a: [out, 1], b: [1, channels, ...kernel] }),
      ];
      const flat = (x: Tensor) => ({ ...x, shape: [x.shape[0]!, channels, sizeOf(kernel)] });
      const product =
        ({ tensors: { a, b } }: Stored, r: number) =>
        (o: number, i: number, k: number) =>
          sum(r, (n) => at(a!, o, n) * at(flat(b!), n, i, k));
      const d = change(
        shape,
        (o, i, k) => 0.7 * 0.5 * product(one, rank)(o, i, k) - 2 * product(two, 1)(o, i, k),
      );
      const deltas = [
        { weight: 0.7, delta: delta({ factors: [pair(one, 'a', 'b')], scale: 0.5 }) },
        { weight: -2, delta: delta({ factors: [pair(two, 'a', 'b')], source: 'other' }) },
      ];
      expectMerged(
        await mergedWeight(base, new Map([['w', deltas]])),
        base.tensors['w']!,
        d,
        `[${shape.join()}] rank ${rank}`,
      );
    }));

  it('Tucker cores, and elementwise products', () =>
    check(async ({ out, channels, rank, kernel }) => {
      const shape = [out, channels, ...(kernel.length === 0 ? [3, 3] : kernel)];
      const positions = sizeOf(shape.slice(2));
      const base = await stored({ w: shape });
      const halves = await stored({
        ...{ t1: [rank, rank, ...shape.slice(2)], a1: [rank, out], b1: [rank, channels] },
        ...{ a2: [out, rank], b2: [rank, channels * positions] },
      });
      const { t1, a1, b1, a2, b2 } = halves.tensors;
      const core = { ...t1!, shape: [rank, rank, positions] };
      const d = change(shape, (o, i, k) => {
        const first = sum(rank, (p) => sum(rank, (q) => at(a1!, p, o) * at(core, p, q, k) * at(b1!, q, i)));
        return 0.25 * first * sum(rank, (r) => at(a2!, o, r) * at(b2!, r, i * positions + k));
      });
      const factors = [pair(halves, 'a1', 'b1', 't1'), pair(halves, 'a2', 'b2')];
      const deltas = [{ weight: 1, delta: delta({ combine: 'hadamard', factors, scale: 0.25 }) }];
      expectMerged(
        await mergedWeight(base, new Map([['w', deltas]])),
        base.tensors['w']!,
        d,
        `[${shape.join()}] rank ${rank}`,
      );
    }));

  it('Kronecker products', () =>
    check(async ({ out, channels, kernel }) => {
      const shape = [2 * out, 3 * channels, ...kernel];
      const base = await stored({ w: shape });
      const halves = await stored({ small: [2, 3], large: [out, channels, ...kernel] });
      const large = { ...halves.tensors['large']!, shape: [out, channels, sizeOf(kernel)] };
      const d = change(
        shape,
        (o, i, k) =>
          at(halves.tensors['small']!, Math.floor(o / out), Math.floor(i / channels)) *
          at(large, o % out, i % channels, k),
      );
      const factors = [{ whole: halves.ref('small') }, { whole: halves.ref('large') }];
      const deltas = [{ weight: 1, delta: delta({ combine: 'kronecker', factors }) }];
      expectMerged(
        await mergedWeight(base, new Map([['w', deltas]])),
        base.tensors['w']!,
        d,
        `[${shape.join()}]`,
      );
    }));

  it.each([0, 1] as const)('magnitudes along axis %i', (axis) =>
    check(async ({ out, channels, kernel }) => {
      const shape = [out, channels, ...kernel];
      const positions = sizeOf(kernel);
      const base = await stored({ w: shape });
      const parts = await stored({ m: axis === 0 ? [out, 1] : [1, channels], diff: shape });
      const flat = (x: Tensor) => ({ ...x, shape: [out, channels, positions] });
      const [w, diff] = [flat(base.tensors['w']!), flat(parts.tensors['diff']!)];
      const v = (o: number, i: number, k: number) => at(w, o, i, k) + at(diff, o, i, k);
      const norm = (own: number) =>
        Math.sqrt(
          sum(axis === 0 ? channels : out, (other) =>
            sum(positions, (k) => (axis === 0 ? v(own, other, k) : v(other, own, k)) ** 2),
          ),
        );
      const m = (own: number) => Number(parts.tensors['m']!.data[own]);
      const d = change(shape, (o, i, k) => {
        const own = axis === 0 ? o : i;
        return 0.5 * ((m(own) * v(o, i, k)) / norm(own) - at(w, o, i, k));
      });
      const magnitude = { ref: parts.ref('m'), axis };
      const deltas = [{ weight: 0.5, delta: delta({ factors: [{ whole: parts.ref('diff') }], magnitude }) }];
      expectMerged(
        await mergedWeight(base, new Map([['w', deltas]])),
        base.tensors['w']!,
        d,
        `[${shape.join()}]`,
      );
    }),
  );
});

it('leaves a graph alone that reads none of the weights', async () => {
  const base = await stored({ w: [2, 2] });
  const g = GraphBuilder.create('other', { weights: weightsOf('base', [base.file]) });
  g.output('y', g.add(g.weight('w'), 1));
  const graph = g.finish();
  const deltas = [{ weight: 1, delta: delta({ factors: [{ whole: base.ref('w') }] }) }];
  expect(mergeDeltas(graph, new Map([['v', deltas]]))).toBe(graph);
});

it('comes before what the runtime makes of a weight: minimal filtering', async () => {
  const shape = [320, 320, 3, 3];
  const base = await stored({ w: shape });
  const lora = await stored({ a: [320, 2], b: [2, 320, 3, 3] });
  const g = GraphBuilder.create('conv', { weights: weightsOf('base', [base.file]) });
  g.output('y', g.conv2d(g.input('x', 'float32', [1, 320, 6, 6]), g.weight('w'), null, { padding: 1 }));
  const deltas = [{ weight: 1, delta: delta({ factors: [pair(lora, 'a', 'b')] }) }];
  const merged = mergeDeltas(g.finish(), new Map([['w', deltas]]));
  const results = [];
  for (const winograd of [true, false]) {
    const runtime = await createRuntime({ device: 'cpu', threads: 1, winograd });
    const session = await runtime.open(merged);
    results.push((await session.run({ x: random([1, 320, 6, 6], 5) }))['y']!);
    await session.dispose();
    await runtime.dispose();
  }
  expectForward(results[0]!, results[1]!, 'filtered against direct');
});

it('is folded into packed weights: a second start reads no adapter', async () => {
  const weights = await writeWeights(folder);
  const lora = await stored({ a: [128, 4], b: [4, 128, 3, 3] });
  const deltas: WeightDeltas = new Map([
    ['conv.weight', [{ weight: 0.01, delta: delta({ factors: [pair(lora, 'a', 'b')] }) }]],
  ]);
  const merged = mergeDeltas(network(weights), deltas);
  const cache = { directory: join(folder, 'cache'), budgetBytes: 1e9 };
  const [direct] = [await runGraph(merged, input())];
  for (const start of ['packing', 'packed']) {
    const runtime = await createRuntime({ device: 'cpu', threads: 1, cache });
    const session = await runtime.open(merged);
    expectForward((await session.run(input()))['y']!, direct['y']!, start);
    await session.dispose();
    // Mapped: next to nothing is held.
    expect(runtime.held().bytes).toBeLessThan(1e6);
    await runtime.dispose();
  }
  expect((await runGraph(network(weights), input()))['y']!.data).not.toEqual(direct['y']!.data);
});
