import { openControlSource } from '../engine/checkpoint/control-source.ts';
import { openModel, type ModelSource, type NetworkSource } from '../engine/checkpoint/model-source.ts';
import { openSafetensors } from '../engine/checkpoint/safetensors.ts';
import type { WeightSource } from '../engine/checkpoint/weight-source.ts';
import { weightsHash } from '../engine/checkpoint/weights-hash.ts';
import { EncoreError, type ErrorCode } from '../contracts/errors.ts';
import { partGraph, parts, type Part } from './component-graph.ts';

export interface ModelReport {
  path: string;
  layout: ModelSource['layout'] | 'file';
  className: string;
  /** As in receipts; null where no weights could be read. */
  hash: string | null;
  components: ComponentReport[];
}

export interface ComponentReport {
  name: string;
  className: string;
  config: Readonly<Record<string, unknown>>;
  tensors: number;
  parameters: number;
  bytes: number;
  /** Element types, the most frequent first. */
  dtypes: string[];
  /** Tensors that the network reads; null where Encore does not know its class. */
  matched: number | null;
  /** Tensors of the file that the network does not read. */
  unmatched: string[];
  /** Why it cannot be used; null where it can. */
  problem: { code: ErrorCode; message: string } | null;
}

/** Components with weights that say nothing about whether a picture can be made. */
const ignored = new Set(['safety_checker', 'feature_extractor', 'image_encoder']);

/** Describes a model folder, or one .safetensors file, from headers and configs alone. */
export async function reportModel(path: string): Promise<ModelReport> {
  const model = await openAnything(path);
  if (model === null) return (await reportControlFile(path)) ?? reportFile(path);
  const components: ComponentReport[] = [];
  const files = [];
  for (const [name, className] of model.components) {
    if (ignored.has(name)) continue;
    const isNetwork = !/Tokenizer|Scheduler|Processor|Extractor/.test(className);
    try {
      const config = await model.config(name);
      if (!isNetwork) {
        components.push({ ...empty(name, className), config });
        continue;
      }
      const network = await model.network(name);
      files.push(...network.files);
      components.push({
        ...reportWeights(name, network.className, network.weights),
        config,
        ...reportUse(network),
      });
    } catch (error) {
      if (!(error instanceof EncoreError)) throw error;
      components.push({ ...empty(name, className), problem: problemOf(error) });
    }
  }
  const hash = files.length === 0 ? null : await weightsHash(files);
  return { path: model.path, layout: model.layout, className: model.className, hash, components };
}

/** Null where the path is a .safetensors file that is no model: it is still worth looking at. */
async function openAnything(path: string): Promise<ModelSource | null> {
  try {
    return await openModel(path);
  } catch (error) {
    const looksOnly = error instanceof EncoreError && error.code === 'checkpoint_unsupported';
    if (looksOnly && path.endsWith('.safetensors')) return null;
    throw error;
  }
}

/** Null where the file is no ControlNet. */
async function reportControlFile(path: string): Promise<ModelReport | null> {
  const network = await openControlSource(path).catch((error: unknown) => {
    if (error instanceof EncoreError && error.code === 'checkpoint_unsupported') return null;
    throw error;
  });
  if (network === null) return null;
  const { name, className, config, weights, files } = network;
  const component = { ...reportWeights(name, className, weights), config, ...reportUse(network) };
  return { path, layout: 'single-file', className, hash: await weightsHash(files), components: [component] };
}

async function reportFile(path: string): Promise<ModelReport> {
  const file = await openSafetensors(path);
  const components = new Map<string, ComponentReport>();
  // One entry per first part of the names: what a single-file checkpoint or a LoRA is made of.
  const prefixes = new Set(
    [...file.tensors.keys(), ...file.unsupported.keys()].map((name) => name.split('.')[0] ?? ''),
  );
  for (const prefix of prefixes) {
    const names = [...file.tensors.keys()].filter((name) => name.split('.')[0] === prefix);
    const weights: WeightSource = {
      description: path,
      has: (name) => file.tensors.has(name),
      names: () => names,
      get: (name) => file.tensors.get(name)!,
    };
    components.set(prefix, reportWeights(prefix, 'tensors', weights));
  }
  return {
    path: file.file,
    layout: 'file',
    className: 'safetensors',
    hash: await weightsHash([file]),
    components: [...components.values()],
  };
}

function problemOf({ code, message }: EncoreError): { code: ErrorCode; message: string } {
  return { code, message };
}

function unsupported({ className }: NetworkSource): { code: ErrorCode; message: string } {
  return { code: 'checkpoint_unsupported', message: `${className} is not supported` };
}

function empty(name: string, className: string): ComponentReport {
  return {
    name,
    className,
    config: {},
    tensors: 0,
    parameters: 0,
    bytes: 0,
    dtypes: [],
    matched: null,
    unmatched: [],
    problem: null,
  };
}

function reportWeights(name: string, className: string, weights: WeightSource): ComponentReport {
  const counts = new Map<string, number>();
  let parameters = 0;
  let bytes = 0;
  for (const each of weights.names()) {
    const { dtype, shape, length } = weights.get(each);
    counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
    parameters += shape.reduce((product, n) => product * n, 1);
    bytes += length;
  }
  const dtypes = [...counts].sort((a, b) => b[1] - a[1]).map(([dtype]) => dtype);
  return { ...empty(name, className), tensors: weights.names().length, parameters, bytes, dtypes };
}

/** Builds the network's graphs at a nominal size and notes which tensors they ask for. */
function reportUse(network: NetworkSource): Pick<ComponentReport, 'matched' | 'unmatched' | 'problem'> {
  const used = new Set<string>();
  const { weights } = network;
  const recorded: NetworkSource = {
    ...network,
    weights: {
      ...weights,
      get(name) {
        used.add(name);
        return weights.get(name);
      },
    },
  };
  const wholes: Part[] = ['text_encoder', 'unet', 'vae.encoder', 'vae.decoder', 'controlnet'];
  // A ControlNet's folder has any name.
  const component = network.className === 'ControlNetModel' ? 'controlnet' : network.name.replace(/_\d$/, '');
  try {
    for (const part of wholes) {
      if (parts[part] === component) partGraph(part, recorded, (name) => nominalShape(name, network));
    }
  } catch (error) {
    if (!(error instanceof EncoreError)) throw error;
    return {
      matched: error.code === 'checkpoint_unsupported' ? null : used.size,
      unmatched: [],
      problem: problemOf(error),
    };
  }
  if (used.size === 0) return { matched: null, unmatched: [], problem: unsupported(network) };
  const unmatched = weights.names().filter((name) => !used.has(name));
  return { matched: used.size, unmatched, problem: null };
}

/** Small shapes that every config accepts. */
function nominalShape(name: string, { config }: NetworkSource): readonly number[] {
  switch (name) {
    case 'input_ids':
      return [1, 8];
    case 'encoder_hidden_states':
      return [1, 8, 1];
    default:
      return [1, Number(config.in_channels ?? 0), 64, 64];
  }
}
