import type { WeightSource } from '../../checkpoint/weight-source.ts';
import type { ComputeType, GraphBuilder } from '../../onnx/builder.ts';
import type { Value } from '../../onnx/graph.ts';
import { linear } from '../layers.ts';
import type { CrossFrame } from '../transformer.ts';
import type { UnetConfig } from './config.ts';
import { completeTimeEmbedding, rowTimeTerms } from './embeddings.ts';
import type { RowConditioning } from './embeddings.ts';

// What a UNet and a ControlNet read, under the names of their forward's arguments.

/** What a UNet graph is built for. */
export interface UnetSize {
  /** Rows R of a step: the batch B, or 2B with classifier-free guidance. */
  rows: number;
  /** Latent size. */
  height: number;
  width: number;
  /** Length L of the text. */
  tokens: number;
  /** Where rows stand for videos: frames of each, and how they see each other. R counts videos then. */
  frames?: FrameRows | undefined;
  weights: WeightSource;
  dtype?: ComputeType;
}

export interface FrameRows {
  /** Frames F in this graph: hidden states have R F rows, the frames of one video after each other. */
  readonly count: number;
  readonly crossFrame?: CrossFrame;
}

/** Rows of the hidden states. */
export function hiddenRows({ rows, frames }: UnetSize): number {
  return rows * (frames?.count ?? 1);
}

/** Scaled latents, with whatever channels the network reads beside them. */
export function sampleInput(g: GraphBuilder, config: UnetConfig, size: UnetSize, rows: number): Value {
  return g.input('sample', g.dtype, [rows, config.inChannels, size.height, size.width]);
}

/** Inputs that are constant over a run: the text as attention reads it, and their terms of the time embedding. */
export function conditioning(
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
      return g.input('class_labels', g.dtype, [rows, config.timeWidth]);
    case 'projection':
    case 'simple_projection':
      return g.input('class_labels', g.dtype, [rows, config.classWidth]);
  }
}

/** The complete time embedding of an input of that name, for `steps` steps. */
export function timeInput(
  g: GraphBuilder,
  config: UnetConfig,
  size: UnetSize,
  name: string,
  steps: number,
  rowTerms: readonly Value[],
): Value {
  const t = g.input(name, 'float32', [steps]);
  return completeTimeEmbedding(g, config, t, rowTerms, { rows: size.rows, frames: size.frames?.count ?? 1 });
}
