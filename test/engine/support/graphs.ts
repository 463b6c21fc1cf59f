import { afterAll } from 'vitest';
import { type Graph } from '../../../lib/engine/onnx/graph.ts';
import { verify } from '../../../lib/engine/onnx/verify.ts';
import { createRuntime } from '../../../lib/engine/runtime/runtime.ts';
import { type Runtime } from '../../../lib/engine/runtime/session.ts';
import { noiseSource } from '../../../lib/engine/tensor/random.ts';
import { type Tensor } from '../../../lib/engine/tensor/tensor.ts';

let shared: Promise<Runtime> | undefined;

/** One runtime per test file, on the CPU. */
export function testRuntime(): Promise<Runtime> {
  shared ??= createRuntime({ device: 'cpu', threads: 1 });
  return shared;
}

afterAll(async () => {
  await (await shared)?.dispose();
  shared = undefined;
});

/** Verifies a graph and runs it once on onnxruntime. Feeds that it does not read are left out. */
export async function runGraph(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  verify(graph);
  const session = await (await testRuntime()).open(graph);
  try {
    const read = graph.inputs.flatMap(({ name }) => (feeds[name] ? [[name, feeds[name]] as const] : []));
    return await session.run(Object.fromEntries(read));
  } finally {
    await session.dispose();
  }
}

/** Standard normal numbers; the same ones for the same seed. */
export function random(shape: readonly number[], seed = 1): Tensor<'float32'> {
  return noiseSource('philox', seed).normal(shape);
}
