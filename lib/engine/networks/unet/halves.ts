import { EncoreError } from '../../../contracts/errors.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Value } from '../../onnx/graph.ts';
import { conv2d, groupNorm } from '../layers.ts';
import { downsample2d, resnetBlock2d, upsample2d } from '../resnet.ts';
import type { ResnetConfig } from '../resnet.ts';
import { transformer2d } from '../transformer.ts';
import type { CrossFrame } from '../transformer.ts';
import type { UnetBlock, UnetConfig, UnetTransformer } from './config.ts';
import { motionModule } from './motion.ts';
import type { MotionConfig } from './motion.ts';

// UNet2DConditionModel, cut where encoder propagation cuts it: before the first up block. Names are the checkpoint's.
// diffusers: models/unets/unet_2d_condition.py, unet_2d_blocks.py

/** What the up path reads: `down_block_res_samples` in the order they are made, and the mid block's output. */
export interface UnetFeatures {
  readonly skips: readonly Value[];
  readonly mid: Value;
}

/** A checkpoint's config, and what a task makes of it. */
export interface UnetDesign extends UnetConfig {
  readonly crossFrame?: CrossFrame | undefined;
  /** A motion adapter, for videos of so many frames. */
  readonly motion?: (MotionConfig & { readonly frames: number }) | undefined;
}

/** x: [R, C, h, w], time: [R or 1, T], text: [R, L, D]; `hint` [1 or R, C0, h, w] is added after conv_in (ControlNet). */
export function unetEncoder(
  g: GraphBuilder,
  config: UnetDesign,
  x: Value,
  time: Value,
  text: Value,
  hint?: Value,
): UnetFeatures {
  const centred = config.centerInputSample ? g.sub(g.mul(x, 2), 1) : x;
  let h = conv2d(g.at('conv_in'), centred, { padding: (config.convInKernel - 1) / 2 });
  if (hint) h = g.add(h, hint);
  const skips = [h];
  config.downBlocks.forEach((block, i) => {
    const at = g.at('down_blocks', i);
    for (let layer = 0; layer < block.resnets; layer++) {
      h = resnetBlock2d(at.at('resnets', layer), h, time, resnet(config));
      if (block.transformer) h = transformer(at.at('attentions', layer), config, h, text, block.transformer);
      h = moved(at.at('motion_modules', layer), config, h, i);
      skips.push(h);
    }
    if (block.resamples) {
      h = downsample2d(at.at('downsamplers.0'), h, config.downsamplePadding);
      skips.push(h);
    }
  });
  if (config.hasMidBlock) h = midBlock(g.at('mid_block'), config, h, time, text);
  return { skips, mid: h };
}

function midBlock(g: GraphBuilder, config: UnetDesign, x: Value, time: Value, text: Value): Value {
  const options = { ...resnet(config), outputScaleFactor: config.midScaleFactor };
  let h = resnetBlock2d(g.at('resnets.0'), x, time, options);
  if (config.midTransformer) h = transformer(g.at('attentions.0'), config, h, text, config.midTransformer);
  h = moved(g.at('motion_modules.0'), config, h, 'mid');
  return resnetBlock2d(g.at('resnets.1'), h, time, options);
}

/** The up path: features [R, ...], time: [R or 1, T], text: [R, L, D] to the prediction [R, C, h, w]. */
export function unetDecoder(
  g: GraphBuilder,
  config: UnetDesign,
  features: UnetFeatures,
  time: Value,
  text: Value,
): Value {
  const skips = [...features.skips];
  let h = features.mid;
  config.upBlocks.forEach((block, i) => {
    const level = config.upBlocks.length - 1 - i;
    h = upBlock(g.at('up_blocks', i), config, block, level, h, skips, time, text);
  });
  h = g.activation(groupNorm(g.at('conv_norm_out'), h, config.groups, config.epsilon), config.activation);
  return conv2d(g.at('conv_out'), h, { padding: (config.convOutKernel - 1) / 2 });
}

/** Takes its skips from the end of the list. */
function upBlock(
  g: GraphBuilder,
  config: UnetDesign,
  block: UnetBlock,
  level: number,
  x: Value,
  skips: Value[],
  time: Value,
  text: Value,
): Value {
  let h = x;
  for (let layer = 0; layer < block.resnets; layer++) {
    const skip = skips.pop();
    if (!skip) throw tooFewSkips(g.path, layer);
    h = resnetBlock2d(
      g.at('resnets', layer),
      g.at('resnets', layer).concat([h, skip], 1),
      time,
      resnet(config),
    );
    if (block.transformer) h = transformer(g.at('attentions', layer), config, h, text, block.transformer);
    h = moved(g.at('motion_modules', layer), config, h, level);
  }
  if (!block.resamples) return h;
  // Odd sizes do not double: the next skip says what the size was on the way down.
  const [, , height = 0, width = 0] = skips.at(-1)?.shape ?? [];
  return upsample2d(g.at('upsamplers.0'), h, height, width);
}

/** What a motion adapter adds after a layer of that level of the down path, or of the mid block. */
function moved(g: GraphBuilder, { motion, channels }: UnetDesign, x: Value, level: number | 'mid'): Value {
  const layers = level === 'mid' ? motion?.midLayers : motion?.layers[level];
  if (!motion || !layers) return x;
  const { groups, frames } = motion;
  const heads = motion.heads[level === 'mid' ? channels.length - 1 : level] ?? 1;
  return motionModule(g, x, { groups, frames, layers, heads });
}

function resnet(config: UnetConfig): ResnetConfig {
  const { groups, epsilon, activation, timeScaleShift } = config;
  return { groups, epsilon, activation, timeScaleShift };
}

function transformer(
  g: GraphBuilder,
  config: UnetDesign,
  x: Value,
  text: Value,
  { heads, layers, onlyCrossAttention }: UnetTransformer,
): Value {
  const { groups, upcastAttention, crossFrame } = config;
  return transformer2d(g, x, text, {
    ...{ heads, layers, groups, onlyCrossAttention, upcastAttention, crossFrame },
  });
}

/** Shapes [C, h, w] of the skips at a latent size, then of the mid block's output. */
export function featureShapes(config: UnetConfig, height: number, width: number): [number, number, number][] {
  let [h, w] = [height, width];
  const shapes: [number, number, number][] = [[config.channels[0] ?? 0, h, w]];
  for (const block of config.downBlocks) {
    for (let i = 0; i < block.resnets; i++) shapes.push([block.channels, h, w]);
    if (!block.resamples) continue;
    const padded = config.downsamplePadding === 0 ? 1 : 2 * config.downsamplePadding;
    [h, w] = [Math.floor((h + padded - 3) / 2) + 1, Math.floor((w + padded - 3) / 2) + 1];
    shapes.push([block.channels, h, w]);
  }
  return [...shapes, [config.channels.at(-1) ?? 0, h, w]];
}

function tooFewSkips(path: string, layer: number): EncoreError {
  return new EncoreError(
    'checkpoint_unsupported',
    `${path}.resnets.${layer}: the down path made no skip for it`,
  );
}
