import { GraphBuilder } from '../../onnx/builder.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { compile } from '../../onnx/passes/compile.ts';
import { hoist } from '../../onnx/passes/hoist.ts';
import { sinkRepeats } from '../../onnx/passes/sink-repeats.ts';
import type { UnetConfig } from './config.ts';
import { featureShapes, unetDecoder, unetEncoder } from './halves.ts';
import type { UnetDesign, UnetFeatures } from './halves.ts';
import type { MotionConfig } from './motion.ts';
import { conditioning, hiddenRows, sampleInput, timeInput } from './inputs.ts';
import type { UnetSize } from './inputs.ts';

export type { UnetSize } from './inputs.ts';

/** The whole network. Inputs `sample` [R, C, h, w], `timestep` [1], conditioning; output `sample`. */
export function buildUnet(config: UnetConfig, size: UnetSize): Graph {
  const g = GraphBuilder.create('unet', size);
  const { text, timeTerms } = conditioning(g, config, size);
  const sample = sampleInput(g, config, size, size.rows);
  const time = timeInput(g, config, size, 'timestep', 1, timeTerms);
  const features = unetEncoder(g, config, sample, time, text);
  g.output('sample', unetDecoder(g, config, features, time, text));
  return compile(g.finish());
}

/**
 * The encoder alone. Outputs `down_block_res_samples.0 ..` and `mid_block_res_sample`, as diffusers names them.
 */
export function buildUnetEncoder(config: UnetConfig, size: UnetSize): Graph {
  const g = GraphBuilder.create('unet.encoder', size);
  const { text, timeTerms } = conditioning(g, config, size);
  const sample = sampleInput(g, config, size, size.rows);
  const time = timeInput(g, config, size, 'timestep', 1, timeTerms);
  const { skips, mid } = unetEncoder(g, config, sample, time, text);
  skips.forEach((skip, i) => g.output(`down_block_res_samples.${i}`, skip));
  g.output('mid_block_res_sample', mid);
  return compile(g.finish());
}

/**
 * The decoder alone: plain features and `timesteps` [S] to `sample` [S, R, C, h, w]. What does not depend on the step is
 * computed once for all of them.
 */
export function buildUnetDecoder(config: UnetConfig, size: UnetSize & { steps: number }): Graph {
  const g = GraphBuilder.create('unet.decoder', size);
  const { text, timeTerms } = conditioning(g, config, size);
  const shapes = featureShapes(config, size.height, size.width);
  const mid = shapes.length - 1;
  const inputs = shapes.map((shape, i) =>
    g.input(i === mid ? 'mid_block_res_sample' : `down_block_res_samples.${i}`, g.dtype, [
      size.rows,
      ...shape,
    ]),
  );
  const time = timeInput(g, config, size, 'timesteps', size.steps, timeTerms);
  const features = { skips: inputs.slice(0, mid), mid: inputs[mid] as Value };
  g.output('sample', spanDecoder(g, config, size, features, time, text));
  const plain = g.finish();
  const stages = Object.fromEntries(plain.inputs.map(({ name }) => [name, name === 'timesteps' ? 1 : 0]));
  return compile(sinkRepeats(hoist(plain, stages)));
}

export interface UnetRunSize extends UnetSize {
  /** Samples before guidance doubles them; rows is a multiple of it. */
  batch: number;
  /** Steps S decoded in one call. */
  steps: number;
  /** Reads ControlNet residuals. */
  control: boolean;
  /** With a motion adapter's modules, from the same source of weights. */
  motion?: MotionConfig | undefined;
}

/**
 * A whole span in one graph, plain: `sample` [B, C, h, w] at `timestep` is encoded once and decoded at `timesteps` [S].
 * With `frames` it is [B F, C, h, w], and the result [S, R F, C, h, w].
 * Its inputs come at three times of a run; stages.ts cuts it there.
 */
export function buildUnetSpan(config: UnetConfig, size: UnetRunSize): Graph {
  const g = GraphBuilder.create('unet', size);
  const { text, timeTerms } = conditioning(g, config, size);
  const rows = hiddenRows(size);
  const halves = size.rows / size.batch;
  const design: UnetDesign = {
    ...config,
    crossFrame: size.frames?.crossFrame,
    motion: size.motion && { ...size.motion, frames: size.frames?.count ?? 1 },
  };
  const sample = g.repeatRows(sampleInput(g, config, size, rows / halves), halves);
  const plain = unetEncoder(g, design, sample, timeInput(g, config, size, 'timestep', 1, timeTerms), text);
  const features = size.control ? addResiduals(g, plain, rows) : plain;
  const time = timeInput(g, config, size, 'timesteps', size.steps, timeTerms);
  g.output('sample', spanDecoder(g, design, size, features, time, text));
  return g.finish();
}

/** Decodes S steps of R rows from features of R rows to [S, R, C, h, w]. */
function spanDecoder(
  g: GraphBuilder,
  config: UnetDesign,
  size: UnetSize & { steps: number },
  features: UnetFeatures,
  time: Value,
  text: Value,
): Value {
  const repeat = (x: Value): Value => g.repeatRows(x, size.steps);
  const repeated = { skips: features.skips.map(repeat), mid: repeat(features.mid) };
  const sample = unetDecoder(g, config, repeated, time, repeat(text));
  return g.reshape(sample, [size.steps, hiddenRows(size), ...sample.shape.slice(1)]);
}

/** ControlNet residuals, as inputs named after the arguments of UNet2DConditionModel.forward. */
function addResiduals(g: GraphBuilder, { skips, mid }: UnetFeatures, rows: number): UnetFeatures {
  const add = (x: Value, name: string): Value =>
    g.add(x, g.input(name, x.dtype, [rows, ...x.shape.slice(1)]));
  return {
    skips: skips.map((skip, i) => add(skip, `down_block_additional_residuals.${i}`)),
    mid: add(mid, 'mid_block_additional_residual'),
  };
}
