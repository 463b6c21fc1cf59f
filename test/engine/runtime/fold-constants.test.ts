import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors, readWeight } from '../../../lib/engine/checkpoint/safetensors.ts';
import { GraphBuilder } from '../../../lib/engine/onnx/builder.ts';
import type { Graph } from '../../../lib/engine/onnx/graph.ts';
import { foldConstants } from '../../../lib/engine/runtime/fold-constants.ts';
import { createRuntime } from '../../../lib/engine/runtime/runtime.ts';
import { noiseSource } from '../../../lib/engine/tensor/random.ts';
import type { Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { maxDifference, writeWeights } from './support.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'encore-fold-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** x [1, 1024] times both halves of the transposed matrix, plus a slice of the bias: one large group and one small. */
async function network(): Promise<Graph> {
  const g = GraphBuilder.create('test network', { weights: await writeWeights(folder) });
  const x = g.input('x', 'float32', [1, 1024]);
  const [left, right] = g.split(g.transpose(g.weight('proj.weight'), [1, 0]), 1, [64, 64]);
  const bias = g.mul(g.slice(g.weight('conv.bias'), 0, 0, 64), 2);
  g.output('y', g.add(g.add(g.matMul(x, left!), bias), g.matMul(x, right!)));
  return g.finish();
}

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const runtime = await createRuntime({ device: 'cpu', threads: 1 });
  const session = await runtime.open(graph);
  const result = await session.run(feeds);
  await session.dispose();
  await runtime.dispose();
  return result;
}

describe('folding constants', () => {
  it('writes what depends on weights alone, and the graph computes the same from there', async () => {
    const graph = await network();
    const evaluated: Graph[] = [];
    const path = join(folder, 'folded.safetensors');
    const folded = await foldConstants(graph, path, (part) => {
      evaluated.push(part);
      return run(part, {});
    });
    // One run gives both halves; the 256 bytes of bias are left to the runtime.
    expect(evaluated.map(({ inputs, outputs }) => [inputs.length, outputs.length])).toEqual([[0, 2]]);
    expect(folded.nodes.map(({ op }) => op)).not.toContain('Transpose');
    expect(folded.nodes.map(({ op }) => op)).toContain('Slice');

    const x = noiseSource('philox', 5).normal([1, 1024]);
    expect(maxDifference((await run(folded, { x })).y, (await run(graph, { x })).y)).toBe(0);
    const original = (await readSafetensors(join(folder, 'weights.safetensors'))).get('proj.weight')!;
    const first = folded.initializers.find((each) => 'weight' in each && each.weight.file === path);
    const written = await readWeight((first as Extract<typeof first, { weight: unknown }>).weight);
    expect(written.shape).toEqual([1024, 64]);
    // Row 3, column 7 of the transposed matrix.
    expect(written.data[3 * 64 + 7]).toBe(original.data[7 * 1024 + 3]);
  });

  it('leaves a graph without such values as it is', async () => {
    const g = GraphBuilder.create('plain', { weights: await writeWeights(folder) });
    g.output('y', g.matMul(g.input('x', 'float32', [1, 128]), g.weight('proj.weight')));
    const graph = g.finish();
    const refuse = () => Promise.reject(new Error('nothing to evaluate'));
    expect(await foldConstants(graph, join(folder, 'none.safetensors'), refuse)).toBe(graph);
  });
});
