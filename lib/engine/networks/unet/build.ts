import type { WeightSource } from '../../checkpoint/weight-source.ts';
import { GraphBuilder } from '../../onnx/builder.ts';
import type { ComputeType } from '../../onnx/builder.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { compile } from '../../onnx/passes/compile.ts';
import { hoist } from '../../onnx/passes/hoist.ts';
import { sinkRepeats } from '../../onnx/passes/sink-repeats.ts';
import type { UnetConfig } from './config.ts';
import { completeTimeEmbedding, rowTimeTerms } from './embeddings.ts';
import type { RowConditioning } from './embeddings.ts';
import { featureShapes, unetDecoder, unetEncoder } from './halves.ts';
import type { UnetFeatures } from './halves.ts';
import { linear } from '../layers.ts';

/** What a UNet graph is built for. */
export interface UnetSize {
  /** Rows R of a step: the batch B, or 2B with classifier-free guidance. */
  rows: number;
  /** Latent size. */
  height: number;
  width: number;
  /** Length L of the text. */
  tokens: number;
  weights: WeightSource;
  dtype?: ComputeType;
}

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
}

/**
 * A whole span in one graph, plain: `sample` [B, C, h, w] at `timestep` is encoded once and decoded at `timesteps` [S].
 * Its inputs come at three times of a run; stages.ts cuts it there.
 */
export function buildUnetSpan(config: UnetConfig, size: UnetRunSize): Graph {
  const g = GraphBuilder.create('unet', size);
  const { text, timeTerms } = conditioning(g, config, size);
  const sample = g.repeatRows(sampleInput(g, config, size, size.batch), size.rows / size.batch);
  const plain = unetEncoder(g, config, sample, timeInput(g, config, size, 'timestep', 1, timeTerms), text);
  const features = size.control ? addResiduals(g, plain, size.rows) : plain;
  const time = timeInput(g, config, size, 'timesteps', size.steps, timeTerms);
  g.output('sample', spanDecoder(g, config, size, features, time, text));
  return g.finish();
}

/** Decodes S steps of R rows from features of R rows to [S, R, C, h, w]. */
function spanDecoder(
  g: GraphBuilder,
  config: UnetConfig,
  size: UnetSize & { steps: number },
  features: UnetFeatures,
  time: Value,
  text: Value,
): Value {
  const repeat = (x: Value): Value => g.repeatRows(x, size.steps);
  const repeated = { skips: features.skips.map(repeat), mid: repeat(features.mid) };
  const sample = unetDecoder(g, config, repeated, time, repeat(text));
  return g.reshape(sample, [size.steps, size.rows, ...sample.shape.slice(1)]);
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

function sampleInput(g: GraphBuilder, config: UnetConfig, size: UnetSize, rows: number): Value {
  return g.input('sample', g.dtype, [rows, config.inChannels, size.height, size.width]);
}

/** Inputs that are constant over a run: the text as attention reads it, and their terms of the time embedding. */
function conditioning(
  g: GraphBuilder,
  config: UnetConfig,
  size: UnetSize,
): { text: Value; timeTerms: Value[] } {
  const { rows, tokens } = size;
  const isTextTime = config.additionEmbed === 'text_time';
  const given: RowConditioning = {
    text: g.input('encoder_hidden_states', g.dtype, [rows, tokens, config.textWidth]),
    classLabels: classInput(g, config, rows),
    textEmbeds: isTextTime ? g.input('text_embeds', g.dtype, [rows, config.textEmbedsWidth]) : null,
    timeIds: isTextTime ? g.input('time_ids', 'float32', [rows, 6]) : null,
  };
  // encoder_hid_proj: where the text is not as wide as the attention expects.
  const text = config.projectsText ? linear(g.at('encoder_hid_proj'), given.text) : given.text;
  return { text, timeTerms: rowTimeTerms(g, config, given) };
}

function classInput(g: GraphBuilder, config: UnetConfig, rows: number): Value | null {
  switch (config.classEmbed) {
    case null:
      return null;
    case 'embedding':
      return g.input('class_labels', 'int64', [rows]);
    case 'timestep':
      return g.input('class_labels', 'float32', [rows]);
    case 'identity':
      return g.input('class_labels', g.dtype, [rows, 4 * (config.channels[0] ?? 0)]);
    case 'projection':
    case 'simple_projection':
      return g.input('class_labels', g.dtype, [rows, config.classWidth]);
  }
}

function timeInput(
  g: GraphBuilder,
  config: UnetConfig,
  size: UnetSize,
  name: string,
  steps: number,
  rowTerms: readonly Value[],
): Value {
  const t = g.input(name, 'float32', [steps]);
  return completeTimeEmbedding(g, config, t, rowTerms, size.rows);
}
