import { env, InferenceSession, listSupportedBackends, Tensor as OrtTensor } from 'onnxruntime-node';
import { EncoreError } from '../../contracts/errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { usesArena } from './graph-memory.ts';
import { sizeOf, tensor, type DType, type Tensor } from '../tensor/tensor.ts';
import type { DeviceName } from './session.ts';

// The only file that imports onnxruntime-node: options, tensors in and out, and its errors under our names.

export const runtimeVersion = env.versions.node ?? env.versions.common;

// Everything that goes wrong reaches the caller as an error; onnxruntime would print it as well.
env.logLevel = 'fatal';

/** Execution providers this build of onnxruntime knows; asking for another would quietly run on the CPU. */
export function knownProviders(): Set<string> {
  return new Set(listSupportedBackends().map(({ name }) => name));
}

/** What JavaScript can pass in and out; bfloat16 cannot. */
const passable = new Set<DType>(['float32', 'float64', 'float16', 'int64', 'int32', 'int8', 'uint8', 'bool']);

export interface NativeOptions {
  device: DeviceName;
  /** Threads of one operator; 0 lets onnxruntime take every physical core. */
  threads: number;
  optimize: 'all' | 'none';
  /** Where the locations of external weights in an in-memory model start. */
  weightsFolder?: string;
  /** Writes the optimised graph here, its weights packed for this machine into `packedWeightsName` beside it. */
  saveOptimized?: { path: string; weightsName: string };
}

/** One onnxruntime session together with the names and shapes of its graph. */
export interface NativeSession {
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** `model` is the serialized graph or the path of a packed one. Throws as {@link wrapCreateError} says. */
export async function createNative(
  graph: Graph,
  model: Uint8Array | string,
  options: NativeOptions,
): Promise<NativeSession> {
  let native: InferenceSession;
  try {
    const settings = sessionOptions(graph, options);
    native =
      typeof model === 'string'
        ? await InferenceSession.create(model, settings)
        : await InferenceSession.create(model, settings);
  } catch (cause) {
    throw wrapCreateError(graph.name, cause);
  }
  return { run: (feeds) => run(native, graph, feeds), release: () => native.release() };
}

function sessionOptions(graph: Graph, options: NativeOptions): InferenceSession.SessionOptions {
  const { device, threads, optimize, weightsFolder, saveOptimized } = options;
  const session: Record<string, string> = {
    // Idle threads would otherwise burn a core each while the scheduler, the web server or another session works.
    'intra_op.allow_spinning': '0',
  };
  if (weightsFolder !== undefined) session.model_external_initializers_file_folder_path = weightsFolder;
  if (saveOptimized !== undefined) {
    session.optimized_model_external_initializers_file_name = saveOptimized.weightsName;
    session.optimized_model_external_initializers_min_size_in_bytes = '1024';
    session.save_external_prepacked_constant_initializers = '1';
  }
  return {
    executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
    ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
    interOpNumThreads: 1,
    graphOptimizationLevel: optimize === 'all' ? 'all' : 'disabled',
    enableCpuMemArena: usesArena(graph),
    logSeverityLevel: 4,
    ...(saveOptimized === undefined ? {} : { optimizedModelFilePath: saveOptimized.path }),
    extra: { session },
  };
}

async function run(native: InferenceSession, graph: Graph, feeds: Readonly<Record<string, Tensor>>) {
  const inputs: Record<string, OrtTensor> = {};
  for (const { name, dtype, shape } of graph.inputs) {
    const feed = feeds[name];
    if (feed === undefined) throw badFeed(graph, `input "${name}" is missing`);
    if (
      feed.dtype !== dtype ||
      feed.shape.length !== shape.length ||
      feed.shape.some((n, i) => n !== shape[i])
    ) {
      throw badFeed(
        graph,
        `input "${name}" must be ${dtype} [${shape.join(', ')}], got ${feed.dtype} [${feed.shape.join(', ')}]`,
      );
    }
    if (!passable.has(dtype)) throw badFeed(graph, `input "${name}": ${dtype} cannot be an input`);
    inputs[name] = new OrtTensor(dtype as Exclude<DType, 'bfloat16'>, feed.data, feed.shape);
  }
  const known = new Set(graph.inputs.map(({ name }) => name));
  const unknown = Object.keys(feeds).find((name) => !known.has(name));
  if (unknown !== undefined)
    throw badFeed(graph, `it has no input "${unknown}" (it has ${[...known].join(', ')})`);

  let results: InferenceSession.OnnxValueMapType;
  try {
    results = await native.run(inputs);
  } catch (cause) {
    throw wrapRunError(graph.name, cause);
  }
  const outputs: Record<string, Tensor> = {};
  for (const { name, value } of graph.outputs) {
    const result = results[value.name];
    if (result === undefined || sizeOf(value.shape) !== result.size) {
      throw new EncoreError(
        'engine_failed',
        `${graph.name}: output "${name}" came back as [${result?.dims.join(', ') ?? 'nothing'}]`,
      );
    }
    outputs[name] = tensor(value.dtype, value.shape, result.data as never);
  }
  return outputs;
}

function badFeed(graph: Graph, message: string): EncoreError {
  return new EncoreError('invalid_tensor', `${graph.name}: ${message}`);
}

/** `out_of_memory`, `checkpoint_invalid` for weight files that do not hold what the graph says, else `graph_invalid`. */
function wrapCreateError(name: string, cause: unknown): EncoreError {
  const message = firstLine(cause);
  if (isOutOfMemory(message)) return outOfMemory(name, cause);
  if (/external|out of bounds|file.?size|mmap|no such file|cannot open/i.test(message)) {
    return new EncoreError('checkpoint_invalid', `${name}: its weights cannot be mapped: ${message}`, {
      cause,
      remedy: 'A weight file was changed or removed meanwhile. Fetch the model again.',
    });
  }
  return new EncoreError(
    'graph_invalid',
    `${name}: onnxruntime ${runtimeVersion} refused the graph: ${message}`,
    { cause },
  );
}

function wrapRunError(name: string, cause: unknown): EncoreError {
  const message = firstLine(cause);
  if (isOutOfMemory(message)) return outOfMemory(name, cause);
  return new EncoreError('engine_failed', `${name}: ${message}`, { cause });
}

function outOfMemory(name: string, cause: unknown): EncoreError {
  return new EncoreError('out_of_memory', `${name}: there was not enough memory`, {
    cause,
    retryable: true,
    remedy: 'Make a smaller picture, fewer at a time, or decode fewer steps at once.',
  });
}

function isOutOfMemory(message: string): boolean {
  return /failed to allocate|bad.?alloc|out of memory|not enough memory/i.test(message);
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
}
