import type { WeightRef } from '../weight-source.ts';
import { renameAll, rule } from './rules.ts';

/** SD 1.x keeps transformers' own CLIPTextModel under this prefix. */
export const clipPrefix = 'cond_stage_model.transformer.';
/** SD 2.x keeps OpenCLIP's text tower under this one. */
export const openClipPrefix = 'cond_stage_model.model.';

/** SD 1.x: names are those of CLIPTextModel already; `position_ids` is a buffer of old versions. */
export function clipWeights(refs: Iterable<WeightRef>): Map<string, WeightRef> {
  const renamed = new Map<string, WeightRef>();
  for (const ref of refs) {
    const name = ref.name.slice(clipPrefix.length);
    if (ref.name.startsWith(clipPrefix) && !name.endsWith('position_ids'))
      renamed.set(name, { ...ref, name });
  }
  return renamed;
}

const layerNames = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
  'attn.out_proj': 'self_attn.out_proj',
};

/**
 * SD 2.x: OpenCLIP's blocks, of which the first `layers` are kept (SD 2 reads the states before the last one). OpenCLIP
 * stacks query, key and value in one `in_proj`; each is a run of its rows.
 */
export function openClipWeights(refs: readonly WeightRef[], layers: number): Map<string, WeightRef> {
  const renamed = renameAll(
    refs,
    openClipPrefix,
    [
      rule('token_embedding', 'text_model.embeddings.token_embedding'),
      rule('positional_embedding', 'text_model.embeddings.position_embedding.weight'),
      rule('ln_final', 'text_model.final_layer_norm'),
      rule('transformer.resblocks.#', (i) => (i < layers ? `text_model.encoder.layers.${i}` : null)),
    ],
    layerNames,
  );
  for (const [name, ref] of [...renamed]) {
    const stacked = /^(.*)\.attn\.in_proj_(weight|bias)$/.exec(name);
    if (stacked === null) continue;
    renamed.delete(name);
    ['q_proj', 'k_proj', 'v_proj'].forEach((projection, i) => {
      const part = thirdOf({ ...ref, name: `${stacked[1]}.self_attn.${projection}.${stacked[2]}` }, i);
      renamed.set(part.name, part);
    });
  }
  return renamed;
}

/** Rows i/3 to (i+1)/3 of a tensor. */
function thirdOf(ref: WeightRef, i: number): WeightRef {
  const [rows = 0, ...rest] = ref.shape;
  const length = ref.length / 3;
  return { ...ref, shape: [rows / 3, ...rest], offset: ref.offset + i * length, length };
}
