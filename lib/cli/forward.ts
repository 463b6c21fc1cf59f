import { Command, Option } from 'commander';
import { EncoreError } from '../contracts/errors.ts';
import { openControlSource } from '../engine/checkpoint/control-source.ts';
import { openModel } from '../engine/checkpoint/model-source.ts';
import {
  openSafetensors,
  readWeight,
  writeSafetensors,
  type SafetensorsFile,
} from '../engine/checkpoint/safetensors.ts';
import type { WeightRef } from '../engine/checkpoint/weight-source.ts';
import type { Graph } from '../engine/onnx/graph.ts';
import { createRuntime, type RuntimeOptions } from '../engine/runtime/runtime.ts';
import { deviceNames } from '../engine/runtime/session.ts';
import { toFloat32 } from '../engine/tensor/arithmetic.ts';
import { float32, tensor, type Tensor } from '../engine/tensor/tensor.ts';
import { partGraph, parts, type Part } from './component-graph.ts';
import { runtimeOptions } from './environment.ts';
import { installed } from './installed.ts';
import { print, printJson } from './output.ts';

interface ForwardOptions {
  model: string;
  component: Part;
  inputs: string;
  out: string;
  device: RuntimeOptions['device'];
  json?: boolean;
}

export function forwardCommand(): Command {
  return new Command('forward')
    .requiredOption(
      '--model <dir|name>',
      "diffusers folder, the component's own folder, or an installed model",
    )
    .addOption(
      new Option('--component <name>', 'what to run').choices(Object.keys(parts)).makeOptionMandatory(),
    )
    .requiredOption('--inputs <file>', 'inputs (.safetensors)')
    .requiredOption('--out <file>', 'where the outputs go (.safetensors)')
    .addOption(
      new Option('--device <name>', 'where to run').choices(['auto', ...deviceNames]).default('auto'),
    )
    .option('--json', 'print one JSON object')
    .action(forward);
}

/** As the arguments of diffusers' forward. */
const defaults: Readonly<Record<string, Tensor>> = {
  conditioning_scale: float32([1], Float32Array.of(1)),
};

async function forward({ model, component, inputs, out, device, json }: ForwardOptions): Promise<void> {
  const network =
    component === 'controlnet'
      ? await openControlSource(await installed(model, 'controlnet', 'model'))
      : await (await openModel(await installed(model, 'model'))).network(parts[component]);
  const given = await openSafetensors(inputs);
  const graph = partGraph(component, network, (name, rank) => shapeOf(given, name, rank));
  const feeds: Record<string, Tensor> = {};
  for (const input of graph.inputs) {
    const isLeftOut = input.name in defaults && !given.tensors.has(input.name);
    feeds[input.name] = isLeftOut ? defaults[input.name]! : await feedOf(given, input);
  }

  const runtime = await createRuntime(runtimeOptions(device));
  try {
    const start = performance.now();
    const session = await runtime.open(graph);
    const opened = performance.now();
    const outputs = await session.run(feeds);
    const done = performance.now();
    await session.dispose();
    requireFinite(component, outputs);
    await writeSafetensors(out, outputs);
    const shapes = Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, shape]));
    const seconds = { load: (opened - start) / 1000, run: (done - opened) / 1000 };
    if (json) printJson({ component, device: runtime.device, seconds, outputs: shapes, path: out });
    else for (const [name, shape] of Object.entries(shapes)) print(`${name} [${shape.join(', ')}]`);
  } finally {
    await runtime.dispose();
  }
}

function required({ file, tensors }: SafetensorsFile, name: string): WeightRef {
  const found = tensors.get(name);
  if (found !== undefined) return found;
  throw new EncoreError('invalid_tensor', `${file} holds no "${name}"`, {
    remedy: `It has ${[...tensors.keys()].join(', ') || 'no tensors'}.`,
  });
}

function shapeOf(given: SafetensorsFile, name: string, rank: number): readonly number[] {
  const { shape } = required(given, name);
  if (shape.length === rank && shape.every((n) => n > 0)) return shape;
  throw new EncoreError(
    'invalid_tensor',
    `${given.file}: "${name}" must have ${rank} dimensions, got [${shape.join(', ')}]`,
  );
}

/** A tensor of the file in the type that the graph reads. A scalar passes for one element. */
async function feedOf(given: SafetensorsFile, input: Graph['inputs'][number]): Promise<Tensor> {
  const { name, dtype, shape } = input;
  const ref = required(given, name);
  const refused = (problem: string) =>
    new EncoreError('invalid_tensor', `${given.file}: "${name}" ${problem}`);
  const fits = ref.shape.length === 0 ? shape.join() === '1' : ref.shape.join() === shape.join();
  if (!fits) throw refused(`must be [${shape.join(', ')}], got [${ref.shape.join(', ')}]`);
  const found = await readWeight(ref);
  if (dtype === 'float32') {
    const { data } = toFloat32(found);
    if (!data.every(Number.isFinite)) throw refused('holds NaN or infinity');
    return tensor('float32', shape, data);
  }
  if (dtype === 'int64' && (found.dtype === 'int64' || found.dtype === 'int32')) {
    return tensor('int64', shape, BigInt64Array.from(found.data as ArrayLike<number | bigint>, BigInt));
  }
  throw refused(`must be ${dtype}, got ${found.dtype}`);
}

/** Inputs were finite, so the weights are not. */
function requireFinite(component: string, outputs: Readonly<Record<string, Tensor>>): void {
  for (const [name, { data }] of Object.entries(outputs)) {
    if (!(data instanceof Float32Array) || data.every(Number.isFinite)) continue;
    throw new EncoreError(
      'weights_invalid',
      `${component} gave NaN or infinity in "${name}" for finite inputs`,
      {
        remedy:
          'The weights are damaged, or were saved in float16 although their values do not fit. Fetch another variant.',
      },
    );
  }
}
