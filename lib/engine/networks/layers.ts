import { sizeOf, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { ConvOptions, GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';

// Layers with weights: each reads `weight` and `bias` at the builder's path, as torch's modules of the same names.

/** Conv2d. x: [R, Cin, h, w] to [R, Cout, h', w']. */
export function conv2d(g: GraphBuilder, x: Value, options: ConvOptions = {}): Value {
  return g.conv2d(x, g.weight('weight'), g.has('bias') ? g.weight('bias') : null, options);
}

/**
 * Linear: weight [out, in], also where a 1x1 convolution [out, in, 1, 1] stands for it. x: [..., in] to [..., out].
 * `part` takes rows start to end (exclusive) of a weight that stacks several layers.
 */
export function linear(g: GraphBuilder, x: Value, part?: readonly [start: number, end: number]): Value {
  const whole = g.weight('weight');
  const [out = 0, width = 0] = whole.shape;
  const [start, end] = part ?? [0, out];
  const flat = whole.shape.length === 2 ? whole : g.reshape(whole, [out, width]);
  const weight = g.transpose(g.slice(flat, 0, start, end), [1, 0]);
  const y = g.matMul(x, weight);
  return g.has('bias') ? g.add(y, g.slice(g.weight('bias'), 0, start, end)) : y;
}

export function layerNorm(g: GraphBuilder, x: Value, epsilon = 1e-5): Value {
  return g.layerNorm(x, g.weight('weight'), g.has('bias') ? g.weight('bias') : null, epsilon);
}

export function groupNorm(g: GraphBuilder, x: Value, groups: number, epsilon: number): Value {
  return g.groupNorm(x, g.weight('weight'), g.weight('bias'), groups, epsilon);
}

/** Embedding. indices: int64 [...] to [..., width]. */
export function embedding(g: GraphBuilder, indices: Value): Value {
  return g.gather(g.weight('weight'), indices);
}

/** A constant named by where and what it is, in the compute type. */
export function constant(g: GraphBuilder, name: string, data: Tensor<'float32'>): Value {
  return g.cast(g.constant(name, data), g.dtype);
}

/**
 * Sinusoidal embedding of timesteps. t: float32 [N] to [N, width]; computed in float32 in every compute type.
 * diffusers: models/embeddings.py get_timestep_embedding, rounded where torch rounds.
 */
export function timesteps(g: GraphBuilder, t: Value, config: TimestepsConfig): Value {
  const { width, flipSinToCos, freqShift } = config;
  const half = Math.floor(width / 2);
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(-Math.log(10000)) * i) / (half - freqShift)),
  );
  const name = `frequencies ${width}${freqShift === 0 ? '' : ` shift ${freqShift}`}`;
  const angles = g.mul(g.reshape(t, [0, 1]), g.constant(name, tensor('float32', [1, half], frequencies)));
  const waves = [g.emit('Sin', [angles]), g.emit('Cos', [angles])];
  const both = g.concat(flipSinToCos ? waves.reverse() : waves, 1);
  const even = width === 2 * half ? both : g.emit('Pad', [both], { mode: 'constant', pads: [0, 0, 0, 1] });
  return g.cast(even, g.dtype);
}

export interface TimestepsConfig {
  width: number;
  flipSinToCos: boolean;
  freqShift: number;
}

/** [R, C, h, w] to [R, h*w, C]. */
export function toSequence(g: GraphBuilder, x: Value): Value {
  const [, channels = 0, ...space] = x.shape;
  return g.reshape(g.transpose(x, [0, 2, 3, 1]), [0, sizeOf(space), channels]);
}

/** [R, h*w, C] to [R, C, h, w]. */
export function toImage(g: GraphBuilder, x: Value, height: number, width: number): Value {
  return g.transpose(g.reshape(x, [0, height, width, x.shape[2] ?? 0]), [0, 3, 1, 2]);
}
