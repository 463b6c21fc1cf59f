import { z } from 'zod';
import { activationNames } from '../../onnx/builder.ts';
import { count, layerCount, parseConfig } from '../parse-config.ts';

/** config.json of CLIPTextModel and CLIPTextModelWithProjection with the defaults of transformers. */
const schema = z.object({
  architectures: z.array(z.string()).default([]),
  vocab_size: count.default(49408),
  hidden_size: count.default(512),
  intermediate_size: count.default(2048),
  projection_dim: count.nullable().default(512),
  num_hidden_layers: layerCount.default(12),
  num_attention_heads: count.default(8),
  max_position_embeddings: count.default(77),
  hidden_act: z.enum(activationNames).default('quick_gelu'),
  layer_norm_eps: z.number().default(1e-5),
  eos_token_id: z.int().nullable().default(49407),
});

export type ClipTextConfig = ReturnType<typeof parseClipTextConfig>;

/** Throws `checkpoint_unsupported` naming the field. CLIPModel's config holds the text model's under `text_config`. */
export function parseClipTextConfig(json: unknown) {
  const nested = z.object({ text_config: z.unknown() }).safeParse(json);
  const own = nested.success && nested.data.text_config ? nested.data.text_config : json;
  const c = parseConfig('CLIPTextModel', schema, own);
  return {
    width: c.hidden_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    positions: c.max_position_embeddings,
    vocabulary: c.vocab_size,
    activation: c.hidden_act,
    epsilon: c.layer_norm_eps,
    /** 2 is what old configs say although the token is another: the end is then the highest id of the row. */
    endToken: c.eos_token_id === 2 ? null : c.eos_token_id,
  };
}
