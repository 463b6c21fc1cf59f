/**
 * The names that LoRA files give their tensors: which network, which layer of it, which part of the layer's adapter.
 * Spellings: kohya's sd-scripts, LyCORIS, diffusers before and after 0.22, PEFT.
 */

export type AdapterDialect = 'kohya' | 'lycoris' | 'diffusers-old' | 'diffusers' | 'peft';

/** Networks of Stable Diffusion 1.x and 2.x; `other` belongs to models that have more. */
export type AdapterComponent = 'unet' | 'text_encoder' | 'other';

export interface AdapterKey {
  readonly component: AdapterComponent;
  /** Path of the layer in its network; dots are underscores where `flat`. */
  readonly module: string;
  readonly flat: boolean;
  readonly part: AdapterPart;
  /** null for a part that several dialects share. */
  readonly dialect: AdapterDialect | null;
  readonly algorithm: string | null;
  /** PEFT's name of the adapter (`lora_A.default.weight`). */
  readonly adapter: string | null;
}

/** Suffixes of the name: part, dialect, algorithm. */
const suffixes = {
  '.lora_down.weight': ['down', 'kohya', 'LoRA'],
  '.lora_up.weight': ['up', 'kohya', 'LoRA'],
  '.lora_mid.weight': ['mid', 'kohya', 'LoRA'],
  '.lora.down.weight': ['down', 'diffusers', 'LoRA'],
  '.lora.up.weight': ['up', 'diffusers', 'LoRA'],
  '.lora_linear_layer.down.weight': ['down', 'diffusers', 'LoRA'],
  '.lora_linear_layer.up.weight': ['up', 'diffusers', 'LoRA'],
  '_lora.down.weight': ['down', 'diffusers-old', 'LoRA'],
  '_lora.up.weight': ['up', 'diffusers-old', 'LoRA'],
  '.alpha': ['alpha', null, null],
  '.dora_scale': ['dora_scale', null, 'DoRA'],
  '.hada_w1_a': ['hada_w1_a', 'lycoris', 'LoHa'],
  '.hada_w1_b': ['hada_w1_b', 'lycoris', 'LoHa'],
  '.hada_w2_a': ['hada_w2_a', 'lycoris', 'LoHa'],
  '.hada_w2_b': ['hada_w2_b', 'lycoris', 'LoHa'],
  '.hada_t1': ['hada_t1', 'lycoris', 'LoHa'],
  '.hada_t2': ['hada_t2', 'lycoris', 'LoHa'],
  '.lokr_w1': ['lokr_w1', 'lycoris', 'LoKr'],
  '.lokr_w1_a': ['lokr_w1_a', 'lycoris', 'LoKr'],
  '.lokr_w1_b': ['lokr_w1_b', 'lycoris', 'LoKr'],
  '.lokr_w2': ['lokr_w2', 'lycoris', 'LoKr'],
  '.lokr_w2_a': ['lokr_w2_a', 'lycoris', 'LoKr'],
  '.lokr_w2_b': ['lokr_w2_b', 'lycoris', 'LoKr'],
  '.lokr_t2': ['lokr_t2', 'lycoris', 'LoKr'],
  '.diff': ['diff', 'lycoris', 'full difference'],
  '.diff_b': ['diff_b', 'lycoris', 'full difference'],
  '.w_norm': ['diff', 'lycoris', 'full difference'],
  '.b_norm': ['diff_b', 'lycoris', 'full difference'],
  // Known by name and not computed here.
  '.oft_blocks': ['refused', 'lycoris', 'OFT'],
  '.oft_diag': ['refused', 'lycoris', 'OFT'],
  '.a1.weight': ['refused', 'lycoris', 'GLoRA'],
  '.on_input': ['refused', 'lycoris', 'IA3'],
  '.lora_B.bias': ['refused', 'peft', 'LoRA with biases'],
} as const satisfies Record<string, readonly [string, AdapterDialect | null, string | null]>;

export type AdapterPart = (typeof suffixes)[keyof typeof suffixes][0] | 'magnitude';

// An adapter's name has no dots and is not the word that ends the tensor's name.
const peft =
  /^(.+)\.lora_(A|B|magnitude_vector|embedding_A|embedding_B)(?:\.(?!weight$)([\w-]+))?(?:\.weight)?$/;

/** null for a name that is none of an adapter's. */
export function adapterKey(name: string): AdapterKey | null {
  const found = split(name);
  if (found === null) return null;
  const [path, part, dialect, algorithm, adapter] = found;
  const { component, module, flat } = locate(path);
  // Attention processors held the layers of the first LoRAs of diffusers.
  return { component, module: module.replace('.processor.', '.'), flat, part, dialect, algorithm, adapter };
}

type Split = readonly [
  path: string,
  part: AdapterPart,
  dialect: AdapterDialect | null,
  algorithm: string | null,
  adapter: string | null,
];

function split(name: string): Split | null {
  for (const [suffix, [part, dialect, algorithm]] of Object.entries(suffixes)) {
    if (name.endsWith(suffix) && name.length > suffix.length) {
      return [name.slice(0, -suffix.length), part, dialect, algorithm, null];
    }
  }
  const [, path, kind, adapter = null] = peft.exec(name) ?? [];
  if (path === undefined) return null;
  if (kind === 'A') return [path, 'down', 'peft', 'LoRA', adapter];
  if (kind === 'B') return [path, 'up', 'peft', 'LoRA', adapter];
  if (kind === 'magnitude_vector') return [path, 'magnitude', null, 'DoRA', adapter];
  return [path, 'refused', 'peft', 'LoRA of an embedding', adapter];
}

const flatPrefixes: readonly (readonly [RegExp, AdapterComponent])[] = [
  [/^lora_unet_/, 'unet'],
  [/^lora_te1?_/, 'text_encoder'],
  [/^lora_/, 'other'],
  [/^lycoris_(?=(down|mid|up)_block|conv_(in|out)|time_embedding)/, 'unet'],
  [/^lycoris_/, 'other'],
];
const dottedPrefixes: readonly (readonly [RegExp, AdapterComponent])[] = [
  [/^unet\./, 'unet'],
  [/^text_encoder\./, 'text_encoder'],
  [/^(?=(down_blocks|mid_block|up_blocks|conv_in|conv_out|time_embedding)(\.|$))/, 'unet'],
  [/^(?=(text_model|encoder\.layers)\.)/, 'text_encoder'],
];

function locate(path: string): Pick<AdapterKey, 'component' | 'module' | 'flat'> {
  if (!path.includes('.')) {
    for (const [prefix, component] of flatPrefixes) {
      if (prefix.test(path)) return { component, module: path.replace(prefix, ''), flat: true };
    }
  }
  const bare = path.replace(/^base_model\.model\./, '');
  for (const [prefix, component] of dottedPrefixes) {
    if (prefix.test(bare)) {
      return { component, module: bare.replace(prefix, '').replace(/^base_model\.model\./, ''), flat: false };
    }
  }
  return { component: 'other', module: bare, flat: false };
}
