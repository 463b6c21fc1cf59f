import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { weightsOf } from '../../../lib/engine/checkpoint/weight-map.ts';
import type { WeightSource } from '../../../lib/engine/checkpoint/weight-source.ts';
import { GraphBuilder } from '../../../lib/engine/onnx/builder.ts';
import type { Graph } from '../../../lib/engine/onnx/graph.ts';
import { mapped } from '../../../lib/engine/tensor/arithmetic.ts';
import { noiseSource } from '../../../lib/engine/tensor/random.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';

/** A convolution and a matrix, 2.4 MB: large enough to be packed. */
const channels = 128;

export async function writeWeights(folder: string, seed = 1): Promise<WeightSource> {
  const noise = noiseSource('philox', seed);
  const draw = (shape: number[]) => mapped(noise.normal(shape), (x) => x * 0.05);
  const path = join(folder, 'weights.safetensors');
  await writeSafetensors(path, {
    'conv.weight': draw([channels, channels, 3, 3]),
    'conv.bias': draw([channels]),
    'proj.weight': draw([channels, 8 * channels]),
  });
  return weightsOf(path, [await openSafetensors(path)]);
}

/** x [rows, 128, side, side] -> mean over the pictures of silu(conv x), times a matrix: [rows, 1024]. */
export function network(weights: WeightSource, { rows = 1, side = 8 } = {}): Graph {
  const g = GraphBuilder.create('test network', { weights });
  const x = g.input('x', 'float32', [rows, channels, side, side]);
  const h = g.silu(g.conv2d(x, g.weight('conv.weight'), g.weight('conv.bias'), { padding: 1 }));
  const mean = g.mean(g.reshape(h, [rows, channels, side * side]), 2);
  g.output('y', g.matMul(g.reshape(mean, [rows, channels]), g.weight('proj.weight')));
  return g.finish();
}

export function input({ rows = 1, side = 8 } = {}): { x: Tensor } {
  return { x: noiseSource('philox', 99).normal([rows, channels, side, side]) };
}

/** The same sum without onnxruntime, for one row. */
export function expected(weights: Map<string, Tensor>, x: Tensor, side = 8): Tensor<'float32'> {
  const at = (t: Tensor | undefined, i: number) => Number(t?.data[i]);
  const [conv, bias, proj] = ['conv.weight', 'conv.bias', 'proj.weight'].map((name) => weights.get(name));
  const mean = new Float64Array(channels);
  for (let o = 0; o < channels; o++) {
    for (let p = 0; p < side * side; p++) {
      const [row, column] = [Math.floor(p / side), p % side];
      let sum = at(bias, o);
      for (let c = 0; c < channels; c++) {
        for (let k = 0; k < 9; k++) {
          const [r, q] = [row + Math.floor(k / 3) - 1, column + (k % 3) - 1];
          if (r < 0 || q < 0 || r >= side || q >= side) continue;
          sum += at(conv, (o * channels + c) * 9 + k) * at(x, (c * side + r) * side + q);
        }
      }
      mean[o]! += sum / (1 + Math.exp(-sum)) / (side * side);
    }
  }
  const y = new Float32Array(8 * channels);
  for (let j = 0; j < y.length; j++) {
    let sum = 0;
    for (let o = 0; o < channels; o++) sum += mean[o]! * at(proj, o * 8 * channels + j);
    y[j] = sum;
  }
  return float32([1, y.length], y);
}

export function maxDifference(a: Tensor | undefined, b: Tensor | undefined): number {
  if (a === undefined || b === undefined || a.data.length !== b.data.length) return Infinity;
  let max = 0;
  for (let i = 0; i < a.data.length; i++)
    max = Math.max(max, Math.abs(Number(a.data[i]) - Number(b.data[i])));
  return max;
}
