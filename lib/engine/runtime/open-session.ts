import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';
import { EncoreError } from '../../contracts/errors.ts';
import { fileIdentity } from '../checkpoint/weights-hash.ts';
import type { Graph } from '../onnx/graph.ts';
import { serialize } from '../onnx/serialize.ts';
import { foldConstants } from './fold-constants.ts';
import { heldBytes, weightBytes } from './graph-memory.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { cpuIdentity } from './machine.ts';
import { createNative, runtimeVersion, type NativeSession } from './ort.ts';
import { weightsName, type PackedCache } from './packed-cache.ts';
import type { DeviceName, OpenHints } from './session.ts';
import { weightFiles, weightRoot } from './weight-root.ts';

export interface OpenOptions {
  device: DeviceName;
  threads: number;
  /** Left out: every open optimises anew and holds its own copy of the weights. */
  cache?: PackedCache;
  passing?: OpenHints['passing'];
}

export interface OpenedSession extends NativeSession {
  /** Estimate of the private bytes it holds between runs: what is not mapped from a file. */
  readonly bytes: number;
}

/** Raised when what an entry holds changes; old entries are then never found again and leave with time. */
const packedFormat = 1;
/** Below this, optimising takes less time than the files of an entry do. */
const smallestPackedBytes = 1 << 20;
/** The same for weights that are soon others. It is a bound for what such graphs hold in private memory, too. */
const smallestPassingBytes = 1 << 28;

/** What a graph is kept and found under. */
export interface GraphIdentity {
  /** Over its structure, its weights and this machine; the same wherever the weight files lie. 32 hex digits. */
  readonly key: string;
  /** Of its weight files as they were when the key was made. */
  readonly weights: string;
}

export async function identify(graph: Graph, device: DeviceName): Promise<GraphIdentity> {
  const files = weightFiles(graph);
  const weights = await weightsIdentity(files);
  const hash = createHash('sha256');
  hash.update(JSON.stringify([packedFormat, runtimeVersion, process.platform, cpuIdentity(), device]));
  hash.update(weights);
  hash.update(serialize(graph, { locate: (file) => String(files.indexOf(file)) }));
  // The names by which callers know the outputs are not part of the serialized graph.
  hash.update(JSON.stringify(graph.outputs.map(({ name, value }) => [name, value.name])));
  return { key: hash.digest('hex').slice(0, 32), weights };
}

async function weightsIdentity(files: readonly string[]): Promise<string> {
  const each = [];
  for (const file of files) each.push(await fileIdentity(file));
  return each.join('');
}

/** Opens a graph from the packed cache, packing it first where needed, or directly where packing has no use. */
export async function openNativeSession(
  graph: Graph,
  identity: GraphIdentity,
  options: OpenOptions,
): Promise<OpenedSession> {
  const { cache, device, passing = false } = options;
  const weights = weightBytes(graph);
  // Packed weights are laid out for the CPU; other devices upload theirs.
  if (
    cache !== undefined &&
    device === 'cpu' &&
    weights >= (passing ? smallestPassingBytes : smallestPackedBytes)
  ) {
    const packed = await openPacked(graph, identity, weights, cache, options);
    if (packed !== undefined) return packed;
  }
  const { folder, locate } = weightRoot(graph);
  const native = await createNative(graph, serialize(graph, { locate }), {
    ...options,
    optimize: 'all',
    weightsFolder: folder,
  });
  await expectUnchanged(graph, identity).catch(async (error: unknown) => {
    await native.release();
    throw error;
  });
  // onnxruntime keeps a private, reordered copy of float32 size.
  return { ...native, bytes: heldBytes(graph) + 2 * weights };
}

/** Undefined where the cache cannot be used at all (read-only or full disk): the graph is then opened directly. */
async function openPacked(
  graph: Graph,
  identity: GraphIdentity,
  weights: number,
  cache: PackedCache,
  options: OpenOptions,
): Promise<OpenedSession | undefined> {
  const { key } = identity;
  const open = async (path: string) => {
    const native = await createNative(graph, path, { ...options, optimize: 'none' });
    return { ...native, bytes: heldBytes(graph) };
  };
  try {
    const found = await cache.find(key);
    if (found !== undefined) {
      try {
        return await open(found);
      } catch (error) {
        if (error instanceof EncoreError && error.code === 'out_of_memory') throw error;
        // Evicted by another process between the two calls, or damaged in a way its hashes do not show.
        await cache.discard(key);
      }
    }
    // float16 weights double, and matrices are kept in both layouts.
    if (!(await cache.hasRoomFor(2 * weights))) return undefined;
    const build = async (modelPath: string) => {
      await pack(graph, modelPath, options);
      await expectUnchanged(graph, identity);
    };
    const path = await cache.add(key, build, options.passing);
    return await open(path);
  } catch (error) {
    if (error instanceof EncoreError) throw error;
    return undefined;
  }
}

/** A key says which weights were read: nothing is kept under it that was read while they were replaced. */
async function expectUnchanged(graph: Graph, { weights }: GraphIdentity): Promise<void> {
  if ((await weightsIdentity(weightFiles(graph))) === weights) return;
  throw new EncoreError(
    'checkpoint_invalid',
    `${graph.name}: its weights were changed while they were read`,
    {
      remedy: 'Try again once all files of the model are in place.',
      retryable: true,
    },
  );
}

/**
 * Lets onnxruntime optimise the graph and write the result; its private copy of the weights is released again. What can
 * be computed beforehand is, a few tensors at a time.
 */
async function pack(graph: Graph, modelPath: string, options: OpenOptions): Promise<void> {
  const foldedPath = join(dirname(modelPath), 'folded.safetensors');
  const drives = new Set([foldedPath, ...weightFiles(graph)].map((file) => parse(file).root));
  const folded =
    drives.size > 1 ? graph : await foldConstants(graph, foldedPath, (part) => evaluate(part, options));
  const { folder, locate } = weightRoot(folded);
  const native = await createNative(folded, serialize(folded, { locate }), {
    ...options,
    optimize: 'all',
    weightsFolder: folder,
    saveOptimized: { path: modelPath, weightsName },
  });
  await native.release();
  // Everything that is read from it lies in the packed weights now.
  await rm(foldedPath, { force: true });
}

async function evaluate(graph: Graph, options: OpenOptions): Promise<Record<string, Tensor>> {
  const { folder, locate } = weightRoot(graph);
  const native = await createNative(graph, serialize(graph, { locate }), {
    ...options,
    optimize: 'none',
    weightsFolder: folder,
  });
  try {
    return await native.run({});
  } finally {
    await native.release();
  }
}
