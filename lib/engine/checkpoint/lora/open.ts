import { dirname, join } from 'node:path';
import { z } from 'zod';
import { adapterKey, type AdapterComponent, type AdapterPart } from '../../../contracts/adapter-keys.ts';
import { describeAdapter, type AdapterInfo } from '../../../contracts/adapters.ts';
import { EncoreError } from '../../../contracts/errors.ts';
import { toFloat32 } from '../../tensor/arithmetic.ts';
import { headerOf, openAdapterFile, type AdapterFile } from '../adapter-file.ts';
import { readJsonFile } from '../json-file.ts';
import { readWeight } from '../safetensors.ts';
import type { WeightRef } from '../weight-source.ts';

/** What a LoRA file holds for one layer. */
export interface LoraLayer {
  readonly component: AdapterComponent;
  /** As the file spells it; see {@link adapterKey}. */
  readonly module: string;
  readonly flat: boolean;
  readonly parts: ReadonlyMap<AdapterPart, WeightRef>;
  /** null where the file leaves it out: the rank then. */
  readonly alpha: number | null;
  /** Rank-stabilised: the scale is alpha / sqrt(rank). */
  readonly stabilised: boolean;
}

export interface LoraFile {
  readonly file: AdapterFile;
  readonly info: AdapterInfo;
  /** First 12 hex digits of the hash that AUTOMATIC1111 writes. */
  readonly hash: string;
  readonly layers: readonly LoraLayer[];
  /** Tensors whose names say nothing to us (bundled embeddings, training state). */
  readonly unknown: readonly string[];
}

/**
 * Reads a LoRA file of any dialect: names, alphas, hashes. Factors stay in the file. Throws what {@link openAdapterFile}
 * throws, `checkpoint_unsupported` for a file of another kind, an algorithm that is not computed here (by name) or several
 * adapters in one file, `checkpoint_invalid` where one weight is named twice or an alpha is no number.
 */
export async function openLora(path: string): Promise<LoraFile> {
  const file = await openAdapterFile(path);
  const info = describeAdapter(headerOf(file), file.name);
  if (info?.kind !== 'lora') throw notLora(file, info);
  const [unreadable] = file.unsupported;
  if (unreadable !== undefined) {
    throw new EncoreError(
      'checkpoint_unsupported',
      `${file.file}: tensor "${unreadable[0]}" is of type ${unreadable[1]}`,
      { remedy: 'Use a variant of the LoRA in float32, float16 or bfloat16.' },
    );
  }
  const { groups, unknown } = group(file);
  const config = await peftConfig(file, info);
  const layers: LoraLayer[] = [];
  for (const { component, module, flat, parts } of groups) {
    const alpha = parts.get('alpha');
    layers.push({
      ...{ component, module, flat, parts },
      alpha: alpha === undefined ? config.alpha(component, module) : await readScalar(alpha),
      stabilised: config.stabilised(component),
    });
  }
  return { file, info, hash: file.dataHash.slice(0, 12), layers, unknown };
}

function notLora({ file, tensors }: AdapterFile, info: AdapterInfo | null): EncoreError {
  const isModel = [...tensors.keys()].some((name) =>
    /^(model\.diffusion_model|first_stage_model)\./.test(name),
  );
  const what = info !== null ? 'an embedding' : isModel ? 'a whole checkpoint' : 'something else';
  return new EncoreError('checkpoint_unsupported', `${file} is no LoRA but ${what}`, {
    remedy: 'A LoRA has tensors named lora_down and lora_up, lora_A and lora_B, hada_ or lokr_.',
  });
}

interface Group extends Pick<LoraLayer, 'component' | 'module' | 'flat'> {
  parts: Map<AdapterPart, WeightRef>;
}

function group({ file, tensors }: AdapterFile): { groups: Group[]; unknown: string[] } {
  const groups = new Map<string, Group>();
  const unknown: string[] = [];
  const adapters = new Set<string>();
  for (const [name, ref] of tensors) {
    const key = adapterKey(name);
    if (key === null) {
      unknown.push(name);
      continue;
    }
    const { component, module, flat, part, algorithm, adapter } = key;
    if (part === 'refused') throw refused(file, `is an adapter of the kind ${algorithm} ("${name}")`);
    if (adapter !== null) adapters.add(adapter);
    const id = `${component} ${module}`;
    const found: Group = groups.get(id) ?? { component, module, flat, parts: new Map() };
    if (found.parts.has(part)) {
      throw new EncoreError(
        'checkpoint_invalid',
        `${file}: "${name}" and "${found.parts.get(part)!.name}" are the same`,
      );
    }
    found.parts.set(part, ref);
    groups.set(id, found);
  }
  if (adapters.size > 1) {
    throw refused(file, `holds several adapters (${[...adapters].slice(0, 5).join(', ')})`);
  }
  return { groups: [...groups.values()], unknown };
}

function refused(file: string, what: string): EncoreError {
  return new EncoreError('checkpoint_unsupported', `${file} ${what}, which is not supported`, {
    remedy: 'LoRA, LoCon, LoHa, LoKr, DoRA and full differences are.',
  });
}

async function readScalar(ref: WeightRef): Promise<number> {
  const value = ref.length > 64 ? undefined : toFloat32(await readWeight(ref)).data;
  if (value?.length === 1) return value[0]!;
  throw new EncoreError(
    'checkpoint_invalid',
    `${ref.file}: "${ref.name}" must be one number, it is [${ref.shape.join(', ')}]`,
  );
}

const number = z.number().finite().min(0);
const patterns = z.record(z.string(), number).default({});
/** What is read of peft's LoraConfig, whose keys stand under `unet.` and `text_encoder.`, or alone. */
const configSchema = z.object({
  lora_alpha: number.optional(),
  alpha_pattern: patterns,
  use_rslora: z.boolean().nullish(),
});
const metadataSchema = z.record(z.string(), z.unknown());

interface PeftConfig {
  alpha(component: AdapterComponent, module: string): number | null;
  stabilised(component: AdapterComponent): boolean;
}

/** diffusers keeps it in the metadata, peft in a file of its own beside the weights. */
async function configOf({ file, metadata }: AdapterFile, { dialect }: AdapterInfo) {
  const text = metadata['lora_adapter_metadata'];
  if (text === undefined) {
    if (dialect !== 'peft') return {};
    return readJsonFile(join(dirname(file), 'adapter_config.json'), metadataSchema).catch(
      (error: unknown) => {
        if (error instanceof EncoreError && error.code === 'checkpoint_not_found') return {};
        throw error;
      },
    );
  }
  try {
    return metadataSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new EncoreError('checkpoint_invalid', `${file}: lora_adapter_metadata is no JSON object`, {
      cause,
    });
  }
}

async function peftConfig(adapter: AdapterFile, info: AdapterInfo): Promise<PeftConfig> {
  const { file } = adapter;
  const all = await configOf(adapter, info);
  const of = (component: AdapterComponent) => {
    const own = Object.entries(all).flatMap(([key, value]) =>
      key.startsWith(`${component}.`) ? [[key.slice(component.length + 1), value]] : [],
    );
    const parsed = configSchema.safeParse(own.length > 0 ? Object.fromEntries(own) : all);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new EncoreError(
      'checkpoint_invalid',
      `${file}: the configuration of its adapter: ${issue?.path.join('.')}: ${issue?.message}`,
    );
  };
  const configs = { unet: of('unet'), text_encoder: of('text_encoder'), other: configSchema.parse({}) };
  return {
    alpha(component, module) {
      const { lora_alpha = null, alpha_pattern } = configs[component];
      // A pattern is the end of a layer's path. peft reads it as a regular expression; a stranger's is not run here.
      const found = Object.entries(alpha_pattern).find(([end]) =>
        `.${module}`.endsWith(`.${end.replace(/^\^/, '')}`),
      );
      return found?.[1] ?? lora_alpha;
    },
    stabilised: (component) => configs[component].use_rslora === true,
  };
}
