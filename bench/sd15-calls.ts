import { fileURLToPath } from 'node:url';
import type { Graph } from '../lib/engine/onnx/graph.ts';
import { createRuntime } from '../lib/engine/runtime/runtime.ts';
import type { Session } from '../lib/engine/runtime/session.ts';
import { noiseSource } from '../lib/engine/tensor/random.ts';
import { float32, type Tensor } from '../lib/engine/tensor/tensor.ts';

/** Packed graphs of Stable Diffusion 1.5. */
export const packedSd15 = {
  directory: fileURLToPath(new URL('.cache/packed-sd15', import.meta.url)),
  budgetBytes: 100e9,
};

/** Latents of 512 x 512 pixels. */
export const side = 64;

type Values = Record<string, Tensor>;
export type OpenCall = (graph: Graph, known: Values) => Promise<() => Promise<Values>>;

/** Opens graphs of Stable Diffusion 1.5's networks from the packed cache, and closes them when `work` is done. */
export async function withCalls<T>(
  log: (line: string) => void,
  work: (open: OpenCall) => Promise<T>,
): Promise<T> {
  const runtime = await createRuntime({ device: 'cpu', cache: packedSd15 });
  const sessions: Session[] = [];
  try {
    return await work(async (graph, known) => {
      log(`opening ${graph.name}`);
      const session = await runtime.open(graph);
      sessions.push(session);
      const feeds = Object.fromEntries(session.inputs.map(({ name }) => [name, known[name]!]));
      return () => session.run(feeds);
    });
  } finally {
    for (const session of sessions) await session.dispose();
    await runtime.dispose();
  }
}

/** What a step of one picture with guidance reads, by the names of the graphs' inputs. */
export function sd15Inputs(): Values {
  const noise = noiseSource('philox', 0);
  const one = (value: number) => float32([1], Float32Array.of(value));
  return {
    sample: noise.normal([1, 4, side, side]),
    encoder_hidden_states: noise.normal([2, 77, 768]),
    timestep: one(500),
    timesteps: one(500),
    controlnet_cond: noise.normal([1, 3, 8 * side, 8 * side]),
    conditioning_scale: one(1),
  };
}

export function counted(macs: number): string {
  return `${(macs / 1e9).toFixed(1)} G multiply-accumulates`;
}
