import type { Graph } from '../../onnx/graph.ts';
import { compile } from '../../onnx/passes/compile.ts';
import type { CompileOptions } from '../../onnx/passes/compile.ts';
import { hoist } from '../../onnx/passes/hoist.ts';
import { sinkRepeats } from '../../onnx/passes/sink-repeats.ts';
import { partition } from '../../onnx/passes/stages.ts';
import { buildUnetSpan } from './build.ts';
import type { UnetRunSize } from './build.ts';
import type { UnetConfig } from './config.ts';

/**
 * A UNet cut into what runs once per prompt, once per key step and once per step. Each reads, beside its own inputs,
 * the outputs of those before it by name.
 */
export interface UnetStages {
  /** Text keys and values of every cross-attention, class and added embeddings. */
  readonly prompt: Graph;
  /** Conv_in to mid block, and everything of the up path that depends on the skips alone. */
  readonly encoder: Graph;
  /** The rest: `timesteps` [S] to `sample` [S, R, C, h, w]. */
  readonly decoder: Graph;
}

export interface UnetStageOptions extends CompileOptions {
  /** Skip-branch hoisting; off only to measure what it saves. Default on. */
  hoisting?: boolean;
}

/** The encoder does not depend on the number of steps: any decoder of the same rows and size reads its features. */
export function buildUnetStages(
  config: UnetConfig,
  size: UnetRunSize,
  options: UnetStageOptions = {},
): UnetStages {
  const { hoisting = true } = options;
  const span = buildUnetSpan(config, size);
  const stages = Object.fromEntries(span.inputs.map(({ name }) => [name, inputStage(name)]));
  const split = hoisting ? hoist(span, stages) : span;
  const [prompt, encoder, decoder] = partition(sinkRepeats(split), stages, 3).map((graph) =>
    compile(graph, options),
  ) as [Graph, Graph, Graph];
  return {
    prompt: { ...prompt, name: 'unet.prompt' },
    encoder: { ...encoder, name: 'unet.encoder' },
    decoder: { ...decoder, name: 'unet.decoder' },
  };
}

/** 0: known with the prompt; 1: at key steps; 2: at every step. */
function inputStage(name: string): 0 | 1 | 2 {
  if (promptInputs.has(name)) return 0;
  return name === 'timesteps' ? 2 : 1;
}

const promptInputs = new Set(['encoder_hidden_states', 'class_labels', 'text_embeds', 'time_ids']);
