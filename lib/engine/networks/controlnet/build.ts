import { GraphBuilder } from '../../onnx/builder.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { compile } from '../../onnx/passes/compile.ts';
import { sinkRepeats } from '../../onnx/passes/sink-repeats.ts';
import { partition } from '../../onnx/passes/stages.ts';
import { conv2d } from '../layers.ts';
import { unetEncoder } from '../unet/halves.ts';
import { conditioning, sampleInput, timeInput } from '../unet/inputs.ts';
import type { UnetSize } from '../unet/inputs.ts';
import type { ControlNetConfig } from './config.ts';

export interface ControlNetSize extends UnetSize {
  /** Samples before guidance doubles them; rows is a multiple of it. */
  batch: number;
  /** Control pictures P: 1 (default), which guides all rows, or one for each row. */
  pictures?: number;
}

/**
 * ControlNetModel. Inputs `sample` [B, C, h, w], `timestep` [1], `encoder_hidden_states` [R, L, D], `controlnet_cond`
 * [P, 3, H, W] in 0 .. 1 and `conditioning_scale` [1]; outputs `down_block_res_samples.0 ..` and
 * `mid_block_res_sample`, all of R rows. diffusers: models/controlnets/controlnet.py
 */
export function buildControlNet(config: ControlNetConfig, size: ControlNetSize): Graph {
  return compile(sinkRepeats(controlNet(config, size)));
}

/** The same, cut into what runs once per picture (the hint's embedding, text keys and values) and once per key step. */
export function buildControlNetStages(
  config: ControlNetConfig,
  size: ControlNetSize,
): { prompt: Graph; encoder: Graph } {
  const graph = sinkRepeats(controlNet(config, size));
  const late = new Set(['sample', 'timestep', 'conditioning_scale']);
  const stages = Object.fromEntries(graph.inputs.map(({ name }) => [name, late.has(name) ? 1 : 0]));
  const [prompt, encoder] = partition(graph, stages, 2).map((part) => compile(part)) as [Graph, Graph];
  return {
    prompt: { ...prompt, name: 'controlnet.prompt' },
    encoder: { ...encoder, name: 'controlnet.encoder' },
  };
}

function controlNet(config: ControlNetConfig, size: ControlNetSize): Graph {
  const { unet, conditioningChannels, scale } = config;
  const { batch, pictures = 1, rows, height, width } = size;
  const g = GraphBuilder.create('controlnet', size);
  const { text, timeTerms } = conditioning(g, unet, size);
  const sample = g.repeatRows(sampleInput(g, unet, size, batch), rows / batch);
  const time = timeInput(g, unet, size, 'timestep', 1, timeTerms);
  const picture = g.input('controlnet_cond', g.dtype, [
    pictures,
    conditioningChannels,
    scale * height,
    scale * width,
  ]);
  const hint = conditioningEmbedding(g.at('controlnet_cond_embedding'), config, picture);
  const strength = g.cast(g.input('conditioning_scale', 'float32', [1]), g.dtype);
  const { skips, mid } = unetEncoder(g, unet, sample, time, text, hint);
  skips.forEach((skip, i) => {
    g.output(`down_block_res_samples.${i}`, g.mul(conv2d(g.at('controlnet_down_blocks', i), skip), strength));
  });
  g.output('mid_block_res_sample', g.mul(conv2d(g.at('controlnet_mid_block'), mid), strength));
  return g.finish();
}

/** ControlNetConditioningEmbedding: a picture to the size and width of conv_in's output. */
function conditioningEmbedding(g: GraphBuilder, config: ControlNetConfig, picture: Value): Value {
  let h = g.silu(conv2d(g.at('conv_in'), picture, { padding: 1 }));
  for (let i = 0; i < 2 * (config.embeddingChannels.length - 1); i++) {
    h = g.silu(conv2d(g.at('blocks', i), h, { padding: 1, stride: i % 2 === 0 ? 1 : 2 }));
  }
  return conv2d(g.at('conv_out'), h, { padding: 1 });
}
