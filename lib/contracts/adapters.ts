import { z } from 'zod';
import { adapterKey, type AdapterDialect } from './adapter-keys.ts';

/** What one LoRA or embedding file is, by the names and shapes of its tensors: for catalogues, messages and receipts. */

/** Model families by name. Only Stable Diffusion 1.x, 2.x and models built alike can use an adapter here. */
export const adapterFamilies = {
  sd1: 'Stable Diffusion 1.x',
  sd2: 'Stable Diffusion 2.x',
  sdxl: 'Stable Diffusion XL',
  sd3: 'Stable Diffusion 3',
  flux: 'FLUX',
  cascade: 'Stable Cascade',
  wan: 'Wan video',
  'diffusion-transformer': 'a diffusion transformer',
  motion: 'AnimateDiff motion modules',
  'language-model': 'a language model',
} as const;
export type AdapterFamily = keyof typeof adapterFamilies;

export interface AdapterInfo {
  kind: 'lora' | 'embedding';
  /** Whose spelling of names it uses. */
  dialect: AdapterDialect | 'a1111';
  /** LoRA, LoHa, LoKr, DoRA, ...; empty for an embedding. */
  algorithms: string[];
  /** The family its names and shapes belong to; null where they fit several. */
  family: AdapterFamily | null;
  /** What the file itself says it was trained on. */
  base: string | null;
  /** Largest rank of its layers; of an embedding the number of its vectors. */
  rank: number | null;
  name: string;
  /** Words that call it up. */
  triggers: string[];
}

/** The header of a .safetensors file. */
export interface AdapterHeader {
  /** Shapes by name. */
  readonly tensors: ReadonlyMap<string, readonly number[]>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** @param fileName without folder and extension; null for a file that is neither a LoRA nor an embedding */
export function describeAdapter(header: AdapterHeader, fileName: string): AdapterInfo | null {
  return describeLora(header, fileName) ?? describeEmbedding(header, fileName);
}

function describeLora({ tensors, metadata }: AdapterHeader, fileName: string): AdapterInfo | null {
  const dialects = new Map<AdapterDialect, number>();
  const algorithms = new Set<string>();
  let rank: number | null = null;
  for (const [name, shape] of tensors) {
    const key = adapterKey(name);
    if (key === null) continue;
    if (key.dialect !== null) dialects.set(key.dialect, (dialects.get(key.dialect) ?? 0) + 1);
    if (key.algorithm !== null) algorithms.add(key.algorithm);
    const inner = rankOf(key.part, shape);
    if (inner !== undefined) rank = Math.max(rank ?? 0, inner);
  }
  const [dialect] = [...dialects].sort(([, a], [, b]) => b - a)[0] ?? [];
  if (dialect === undefined) return null;
  return {
    kind: 'lora',
    dialect,
    algorithms: [...algorithms].sort(),
    family: adapterFamily({ tensors, metadata }),
    base: said(metadata, 'ss_base_model_version', 'modelspec.architecture', 'ss_sd_model_name'),
    rank,
    name: said(metadata, 'modelspec.title', 'ss_output_name') ?? fileName,
    triggers: triggersOf(metadata),
  };
}

function rankOf(part: string, shape: readonly number[]): number | undefined {
  return /^(down|hada_w._b|lokr_w._b)$/.test(part) ? shape[0] : undefined;
}

/** More vectors than a text encoder reads at once are no embedding. */
const maxEmbeddingVectors = 75;

function describeEmbedding({ tensors, metadata }: AdapterHeader, fileName: string): AdapterInfo | null {
  const found = embeddingTensor(tensors);
  if (found === null) return null;
  const { name, shape, xl } = found;
  const width = shape.at(-1);
  const a1111 = name === 'emb_params' || name.startsWith('string_to_param');
  return {
    kind: 'embedding',
    dialect: a1111 ? 'a1111' : 'diffusers',
    algorithms: [],
    family: xl ? 'sdxl' : width === 768 ? 'sd1' : width === 1024 ? 'sd2' : null,
    base: said(metadata, 'modelspec.architecture', 'sd_checkpoint_name'),
    rank: shape.length === 1 ? 1 : (shape[0] ?? 0),
    name: fileName,
    triggers: a1111 || xl || name === fileName ? [fileName] : [fileName, name],
  };
}

/** The one tensor of an embedding: `emb_params` (AUTOMATIC1111), the token as its name (diffusers), `clip_l` beside `clip_g` (XL). */
export function embeddingTensor(
  tensors: AdapterHeader['tensors'],
): { name: string; shape: readonly number[]; xl: boolean } | null {
  const xl = tensors.has('clip_g');
  const names = [...tensors.keys()];
  const name = tensors.has('emb_params')
    ? 'emb_params'
    : xl
      ? 'clip_l'
      : names.length === 1
        ? names[0]
        : undefined;
  const shape = name === undefined ? undefined : tensors.get(name);
  if (name === undefined || shape === undefined || shape.length < 1 || shape.length > 2) return null;
  const vectors = shape.length === 1 ? 1 : shape[0]!;
  return vectors >= 1 && vectors <= maxEmbeddingVectors && shape.at(-1)! >= 1 ? { name, shape, xl } : null;
}

/** Names that only one family has. The first that fits counts. */
const signs: readonly (readonly [AdapterFamily, RegExp])[] = [
  ['motion', /motion_modules/],
  ['flux', /double_blocks|single_transformer_blocks|single_blocks/],
  ['cascade', /prior_unet/],
  ['sd3', /joint_blocks|transformer_blocks[._]\d+[._]attn[._]add_[qkv]_proj/],
  ['wan', /(^|[._])blocks[._]\d+[._](self|cross)_attn[._]/],
  [
    'sdxl',
    /lora_te2_|text_encoder_2\.|attentions_?\.?\d+[._]transformer_blocks[._][1-9]|label_emb|add_embedding[._]linear/,
  ],
  ['sdxl', /(input|output)_blocks[._]\d+[._]|middle_block[._]\d/],
  ['language-model', /(^|\.)(model|transformer)\.(layers|h)\.\d+\./],
  ['diffusion-transformer', /^(lora_)?transformer[._]/],
];

/** By names, then by the width of the text that cross-attention reads, then by what the metadata say. */
function adapterFamily({ tensors, metadata }: AdapterHeader): AdapterFamily | null {
  const names = [...tensors.keys()];
  const sign = signs.find(([, pattern]) => names.some((name) => pattern.test(name)));
  if (sign !== undefined) return sign[0];
  for (const [name, shape] of tensors) {
    const key = adapterKey(name);
    if (key?.part !== 'down' || !/attn2[._]to_[kv]$/.test(key.module)) continue;
    const width = shape[1];
    if (width === 768) return 'sd1';
    if (width === 1024) return 'sd2';
    if (width === 2048) return 'sdxl';
  }
  const base = said(metadata, 'ss_base_model_version', 'modelspec.architecture') ?? '';
  if (/sdxl|xl-v1/.test(base)) return 'sdxl';
  if (/flux/i.test(base)) return 'flux';
  if (/sd_?3|v3/.test(base)) return 'sd3';
  if (/sd_v2|v2/.test(base)) return 'sd2';
  if (/sd_v1|v1/.test(base)) return 'sd1';
  return null;
}

function said(metadata: Readonly<Record<string, string>>, ...keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = metadata[key]?.trim().slice(0, 200);
    if (value !== undefined && value !== '' && value !== 'None') return value;
  }
  return null;
}

/** `modelspec.trigger_phrase`, else the words that most of the training pictures were described with. */
function triggersOf(metadata: Readonly<Record<string, string>>): string[] {
  const phrase = said(metadata, 'modelspec.trigger_phrase');
  if (phrase !== null)
    return phrase
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean);
  const counts = new Map<string, number>();
  for (const tags of Object.values(frequenciesOf(metadata['ss_tag_frequency']))) {
    for (const [tag, count] of Object.entries(tags)) {
      counts.set(tag.trim(), (counts.get(tag.trim()) ?? 0) + count);
    }
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, 3).map(([tag]) => tag.slice(0, 100));
}

const frequencySchema = z.record(z.string(), z.record(z.string(), z.number()));

function frequenciesOf(text: string | undefined): z.infer<typeof frequencySchema> {
  try {
    return frequencySchema.parse(JSON.parse(text ?? '{}'));
  } catch {
    // What a stranger wrote into a file; nothing depends on it.
    return {};
  }
}
