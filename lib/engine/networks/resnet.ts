import type { ActivationName, GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import { conv2d, groupNorm, linear } from './layers.ts';

export interface ResnetConfig {
  groups: number;
  epsilon: number;
  activation: ActivationName;
  /** `scale_shift` modulates the second norm instead of adding to it. */
  timeScaleShift?: 'default' | 'scale_shift';
  outputScaleFactor?: number;
}

/**
 * ResnetBlock2D. x: [R, Cin, h, w], time: activated time embedding [R or 1, T] or null to [R, Cout, h, w].
 * diffusers: models/resnet.py
 */
export function resnetBlock2d(g: GraphBuilder, x: Value, time: Value | null, config: ResnetConfig): Value {
  const { groups, epsilon, activation, timeScaleShift = 'default', outputScaleFactor = 1 } = config;
  let h = g.activation(groupNorm(g.at('norm1'), x, groups, epsilon), activation);
  h = conv2d(g.at('conv1'), h, { padding: 1 });
  const channels = h.shape[1] ?? 0;
  if (time && timeScaleShift === 'scale_shift') {
    const projected = spread(g, linear(g.at('time_emb_proj'), time));
    const [scale, shift] = g.split(projected, 1, [channels, channels]) as [Value, Value];
    h = g.add(g.mul(groupNorm(g.at('norm2'), h, groups, epsilon), g.add(scale, 1)), shift);
  } else {
    if (time) h = g.add(h, spread(g, linear(g.at('time_emb_proj'), time)));
    h = groupNorm(g.at('norm2'), h, groups, epsilon);
  }
  h = conv2d(g.at('conv2'), g.activation(h, activation), { padding: 1 });
  const shortcut = g.at('conv_shortcut').has('weight') ? conv2d(g.at('conv_shortcut'), x) : x;
  const sum = g.add(shortcut, h);
  return outputScaleFactor === 1 ? sum : g.div(sum, outputScaleFactor);
}

/** [R, C] to [R, C, 1, 1]. */
function spread(g: GraphBuilder, x: Value): Value {
  return g.reshape(x, [0, x.shape[1] ?? 0, 1, 1]);
}

/** Downsample2D with a convolution. Padding 0 pads right and bottom only, as the original autoencoder does. */
export function downsample2d(g: GraphBuilder, x: Value, padding: number): Value {
  return conv2d(g.at('conv'), x, { stride: 2, padding: padding === 0 ? [0, 0, 1, 1] : padding });
}

/** Upsample2D with a convolution: nearest to [height, width], then 3x3. */
export function upsample2d(g: GraphBuilder, x: Value, height: number, width: number): Value {
  return conv2d(g.at('conv'), g.resizeNearest(x, height, width), { padding: 1 });
}
