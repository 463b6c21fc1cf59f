import { adapterFamilies, describeAdapter, type AdapterInfo } from '../contracts/adapters.ts';
import { EncoreError, type ErrorCode } from '../contracts/errors.ts';
import { headerOf } from '../engine/checkpoint/adapter-file.ts';
import { openEmbedding } from '../engine/checkpoint/embedding.ts';
import { bindLora } from '../engine/checkpoint/lora/bind.ts';
import { openLora, type LoraFile } from '../engine/checkpoint/lora/open.ts';
import { openModel } from '../engine/checkpoint/model-source.ts';
import { openSafetensors } from '../engine/checkpoint/safetensors.ts';
import { parseClipTextConfig } from '../engine/networks/clip/config.ts';
import { print, showBytes } from './output.ts';

export interface AdapterReport extends AdapterInfo {
  path: string;
  bytes: number;
  /** As AUTOMATIC1111 writes it. */
  hash: string | null;
  layers: number;
  /** Different alphas of its layers, ascending; empty where all leave it out, which means the rank. */
  alphas: number[];
  /** Tensors that the model named has a place for, and has not; null where none was named, or nothing fits. */
  matched: number | null;
  unmatched: string[];
  problem: { code: ErrorCode; message: string } | null;
}

/** Describes a LoRA or an embedding, on its own or over a model; null for a file that is neither. */
export async function reportAdapter(path: string, model: string | undefined): Promise<AdapterReport | null> {
  if (!path.endsWith('.safetensors')) return null;
  const file = await openSafetensors(path);
  const info = describeAdapter(headerOf(file), path.replace(/^.*[\\/]|\.safetensors$/g, ''));
  if (info === null) return null;
  const report: AdapterReport = {
    ...info,
    ...{ path: file.file, bytes: file.size, hash: null, layers: 0, alphas: [], matched: null },
    ...{ unmatched: [], problem: null },
  };
  try {
    return { ...report, ...(await (info.kind === 'lora' ? ofLora : ofEmbedding)(path, model)) };
  } catch (error) {
    if (!(error instanceof EncoreError)) throw error;
    return { ...report, problem: { code: error.code, message: error.message } };
  }
}

async function ofLora(path: string, model: string | undefined): Promise<Partial<AdapterReport>> {
  const lora = await openLora(path);
  const alphas = new Set(lora.layers.flatMap(({ alpha }) => (alpha === null ? [] : [alpha])));
  const known = {
    hash: lora.hash,
    layers: lora.layers.length,
    alphas: [...alphas].sort((a, b) => a - b),
  };
  return { ...known, ...(model === undefined ? {} : await overModel(lora, model)) };
}

/** What does not fit is a finding here, not the end. */
async function overModel(lora: LoraFile, model: string): Promise<Partial<AdapterReport>> {
  const source = await openModel(model);
  const [unet, text] = await Promise.all([source.network('unet'), source.network('text_encoder')]);
  try {
    const { matched, unmatched } = bindLora(lora, { unet: unet.weights, text_encoder: text.weights }, model);
    return { matched: matched.length, unmatched: [...unmatched] };
  } catch (error) {
    if (!(error instanceof EncoreError)) throw error;
    return { problem: { code: error.code, message: error.message } };
  }
}

async function ofEmbedding(path: string, model: string | undefined): Promise<Partial<AdapterReport>> {
  const { hash, vectors, madeFor } = await openEmbedding(path);
  if (model === undefined) return { hash };
  const { width } = parseClipTextConfig(await (await openModel(model)).config('text_encoder'));
  const given = vectors[0]!.length;
  if (given === width) return { hash, matched: 1 };
  const message = `its vectors have ${given} numbers${madeFor}; ${model} reads ${width}`;
  return { hash, problem: { code: 'checkpoint_unsupported', message } };
}

/** Names of tensors are shown up to this many; --json lists all. */
const shownNames = 5;

export function printAdapter(report: AdapterReport): void {
  const { kind, algorithms, dialect, path, bytes, hash, rank, layers, alphas, matched, unmatched } = report;
  const what = kind === 'lora' ? algorithms.join(' + ') : 'embedding';
  print(`${what} (${dialect}) ${path}`);
  print(`  ${showBytes(bytes)}, hash ${hash ?? 'unknown'}`);
  const alpha =
    alphas.length === 0 ? 'no alpha (the rank)' : `alpha ${alphas.slice(0, shownNames).join(', ')}`;
  print(
    kind === 'lora'
      ? `  ${layers} layers, rank ${rank ?? 'unknown'}, ${alpha}`
      : `  ${rank} ${rank === 1 ? 'vector' : 'vectors'}`,
  );
  print(`  made for ${report.family === null ? 'an unknown family' : adapterFamilies[report.family]}`);
  if (report.base !== null) print(`  says it was trained on ${report.base}`);
  if (report.triggers.length > 0) print(`  called by ${report.triggers.join(', ')}`);
  if (matched !== null) print(`  ${matched} tensors matched, ${unmatched.length} unmatched`);
  for (const name of unmatched.slice(0, shownNames)) print(`    unmatched: ${name}`);
  if (unmatched.length > shownNames)
    print(`    ... and ${unmatched.length - shownNames} more (--json lists all)`);
  if (report.problem !== null) print(`  cannot be used: ${report.problem.message}`);
}
