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
  const parts = partition(sinkRepeats(split), stages, 3);
  // Compiled when asked for: a span of another width needs its decoder alone.
  const compiled = new Map<number, Graph>();
  const part = (stage: 0 | 1 | 2, name: string): Graph => {
    const graph = compiled.get(stage) ?? { ...compile(parts[stage] as Graph, options), name };
    compiled.set(stage, graph);
    return graph;
  };
  return {
    get prompt() {
      return part(0, 'unet.prompt');
    },
    get encoder() {
      return part(1, 'unet.encoder');
    },
    get decoder() {
      return part(2, 'unet.decoder');
    },
  };
}

/** 0: known with the prompt; 1: at key steps; 2: at every step. The first frame's keys are known where they are made. */
function inputStage(name: string): 0 | 1 | 2 {
  if (promptInputs.has(name)) return 0;
  return name === 'timesteps' || name.startsWith('up_blocks.') ? 2 : 1;
}

const promptInputs = new Set(['encoder_hidden_states', 'class_labels', 'text_embeds', 'time_ids']);
