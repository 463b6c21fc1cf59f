import { adapterFamilies, describeAdapter, embeddingTensor } from '../../contracts/adapters.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { reshaped, rows, toFloat32 } from '../tensor/arithmetic.ts';
import { mentions } from '../tokenizers/triggers.ts';
import { adapterName, headerOf, openAdapterFile } from './adapter-file.ts';
import { readWeight } from './safetensors.ts';

/** A textual inversion embedding: vectors that stand in a prompt where one of its triggers does. */
export interface Embedding {
  readonly name: string;
  /** Its file's name, and the token that diffusers saved it under. */
  readonly triggers: readonly string[];
  /** As wide as the states of the text encoder it was made for. */
  readonly vectors: readonly Float32Array[];
  /** First 12 hex digits of the file's sha256, as AUTOMATIC1111 writes it. */
  readonly hash: string;
  /** For messages: the family that its width belongs to, where there is one. */
  readonly madeFor: string;
}

/**
 * AUTOMATIC1111's (`emb_params` [n, D]) and diffusers' (one tensor [D] or [n, D], named by its token) .safetensors. Throws
 * what {@link openAdapterFile} throws, and `checkpoint_unsupported` for another kind of file or one of Stable Diffusion XL.
 */
export async function openEmbedding(path: string): Promise<Embedding> {
  const file = await openAdapterFile(path);
  const header = headerOf(file);
  const info = describeAdapter(header, file.name);
  const found = embeddingTensor(header.tensors);
  if (info?.kind !== 'embedding' || found === null) {
    throw new EncoreError('checkpoint_unsupported', `${file.file} is no embedding`, {
      remedy: 'An embedding has one tensor of one vector, or of a few.',
    });
  }
  if (found.xl) {
    throw new EncoreError(
      'checkpoint_unsupported',
      `${file.file} is an embedding for ${adapterFamilies.sdxl}`,
      {
        remedy: 'Use one for Stable Diffusion 1.x or 2.x, as the model is.',
      },
    );
  }
  const values = toFloat32(await readWeight(file.tensors.get(found.name)!));
  const width = values.shape.at(-1)!;
  const count = values.data.length / width;
  const matrix = reshaped(values, [count, width]);
  return {
    name: file.name,
    triggers: info.triggers,
    vectors: Array.from({ length: count }, (_, i) => rows(matrix, i, i + 1).data),
    hash: file.fileHash.slice(0, 12),
    madeFor: info.family === null ? '' : `, as ${adapterFamilies[info.family]} has them`,
  };
}

/**
 * Those of `files` that the texts call. Others may be of any model and in any state; what cannot be opened although a
 * text has its name is an error.
 */
export async function embeddingsNamed(
  files: readonly string[],
  texts: readonly string[],
): Promise<Embedding[]> {
  const found: Embedding[] = [];
  for (const file of files) {
    try {
      const embedding = await openEmbedding(file);
      if (texts.some((text) => mentions(text, embedding.triggers))) found.push(embedding);
    } catch (error) {
      if (texts.some((text) => mentions(text, [adapterName(file)]))) throw error;
    }
  }
  return found;
}
