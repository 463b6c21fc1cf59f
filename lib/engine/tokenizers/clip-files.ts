import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import { readJsonFile } from '../checkpoint/json-file.ts';
import { baseSymbols, type Merge } from './byte-pair-encoding.ts';

/** What a CLIPTokenizer folder says, whichever files it says it in. */
export interface ClipTokenizerFiles {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly merges: readonly Merge[];
  readonly special: Readonly<Record<SpecialName, string>>;
  /** Tokens that are taken out of the text before anything else happens to it, with their ids. */
  readonly added: ReadonlyMap<string, AddedToken>;
  /** Positions the text encoder was trained with, where the folder says so. */
  readonly modelMaxLength: number | undefined;
}

export interface AddedToken {
  readonly id: number;
  /** Whether white space before and after belongs to it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Whether it is looked for in the cleaned, lower-cased text instead of the text as given. */
  readonly normalized: boolean;
}

const specialNames = ['bos_token', 'eos_token', 'unk_token', 'pad_token'] as const;
type SpecialName = (typeof specialNames)[number];

/** Defaults of transformers' CLIPTokenizer. */
const defaults: Record<SpecialName, string> = {
  bos_token: '<|startoftext|>',
  eos_token: '<|endoftext|>',
  unk_token: '<|endoftext|>',
  pad_token: '<|endoftext|>',
};

/** CLIP has 49,408 tokens; room for larger ones, a bound for hostile ones. */
const maxTokens = 1_000_000;
const maxMergesBytes = 32_000_000;

const idSchema = z.int().min(0).max(10_000_000);
const vocabularySchema = z
  .record(z.string(), idSchema)
  .refine((value) => Object.keys(value).length <= maxTokens, `more than ${maxTokens} tokens`);
const addedTokenSchema = z.object({
  content: z.string().min(1).max(1000),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(false),
  special: z.boolean().default(false),
});
const tokenSchema = z.union([
  z
    .string()
    .max(1000)
    .transform((content) => ({ content })),
  addedTokenSchema,
]);
const specialTokensSchema = z.object({
  bos_token: tokenSchema.nullish(),
  eos_token: tokenSchema.nullish(),
  unk_token: tokenSchema.nullish(),
  pad_token: tokenSchema.nullish(),
});
const configSchema = specialTokensSchema.extend({
  // transformers writes 1e30 for "no limit".
  model_max_length: z.number().min(1).optional(),
  added_tokens_decoder: z.record(z.string().regex(/^\d{1,8}$/), addedTokenSchema).optional(),
});
const mergeSchema = z.union([z.string(), z.tuple([z.string(), z.string()])]);
const tokenizerJsonSchema = z.object({
  added_tokens: z.array(addedTokenSchema.extend({ id: idSchema })).default([]),
  model: z.object({
    type: z.literal('BPE').optional(),
    vocab: vocabularySchema,
    merges: z.array(mergeSchema).max(maxTokens),
    end_of_word_suffix: z.literal('</w>'),
  }),
});

/**
 * Reads vocab.json and merges.txt, tokenizer.json where they are missing, or merges.txt alone (CLIP's vocabulary follows
 * from its merges: bytes, bytes that end a word, merges, start and end); and the special tokens of
 * tokenizer_config.json and special_tokens_map.json (transformers' tokenization_utils_base.py: the map wins unless the
 * config lists `added_tokens_decoder`). Throws `checkpoint_not_found`, or `checkpoint_invalid` naming file and field.
 */
export async function readClipTokenizerFiles(folder: string): Promise<ClipTokenizerFiles> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new EncoreError('checkpoint_not_found', `${folder} is missing`, {
      cause,
      remedy: 'The model folder is incomplete: fetch it again.',
    });
  });
  const optional = <T>(name: string, schema: z.ZodType<T>) =>
    names.includes(name) ? readJsonFile(join(folder, name), schema) : Promise.resolve(undefined);

  const { vocabulary, merges, added } = await readVocabulary(folder, names);
  const config = await optional('tokenizer_config.json', configSchema);
  const listed = config?.added_tokens_decoder;
  const map =
    listed === undefined ? await optional('special_tokens_map.json', specialTokensSchema) : undefined;
  for (const [id, { content, ...token }] of Object.entries(listed ?? {})) {
    added.set(content, { ...token, id: Number(id) });
  }
  const special = { ...defaults };
  for (const name of specialNames) {
    const token = map?.[name] ?? config?.[name];
    if (token !== undefined && token !== null) special[name] = token.content;
    const content = special[name];
    const id = vocabulary.get(content) ?? added.get(content)?.id;
    if (id === undefined) {
      throw new EncoreError(
        'checkpoint_invalid',
        `${folder}: the ${name} "${content}" is not in the vocabulary`,
      );
    }
    // Special tokens are looked for in the text as given, whatever their file says: tokenizers 0.23 does the same.
    added.set(content, { lstrip: false, rstrip: false, ...added.get(content), normalized: false, id });
  }
  const limit = config?.model_max_length;
  return {
    vocabulary,
    merges,
    special,
    added,
    modelMaxLength: limit === undefined || limit > 1e6 ? undefined : Math.floor(limit),
  };
}

interface Vocabulary {
  vocabulary: Map<string, number>;
  merges: readonly Merge[];
  added: Map<string, AddedToken>;
}

async function readVocabulary(folder: string, names: readonly string[]): Promise<Vocabulary> {
  const [vocabPath, mergesPath, fastPath] = ['vocab.json', 'merges.txt', 'tokenizer.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const added = new Map<string, AddedToken>();
  if (names.includes('merges.txt') && names.includes('vocab.json')) {
    const vocabulary = new Map(Object.entries(await readJsonFile(vocabPath, vocabularySchema)));
    return { vocabulary, merges: await readMerges(mergesPath), added };
  }
  if (names.includes('merges.txt') && !names.includes('tokenizer.json')) {
    const merges = await readMerges(mergesPath);
    const tokens = [...baseSymbols, ...merges.map(([left, right]) => left + right)];
    const special = [defaults.bos_token, defaults.eos_token];
    return { vocabulary: new Map([...tokens, ...special].map((token, id) => [token, id])), merges, added };
  }
  const { model, added_tokens: tokens } = await readJsonFile(fastPath, tokenizerJsonSchema);
  for (const { content, id, ...token } of tokens) added.set(content, { ...token, id });
  const merges = model.merges.map((merge) => (typeof merge === 'string' ? parseMerge(merge, folder) : merge));
  return { vocabulary: new Map(Object.entries(model.vocab)), merges, added };
}

async function readMerges(path: string): Promise<Merge[]> {
  const { size } = await stat(path);
  if (size > maxMergesBytes) {
    throw new EncoreError(
      'checkpoint_invalid',
      `${path} has ${size} bytes; at most ${maxMergesBytes} are read`,
    );
  }
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines
    .map((line) => line.replace(/\r$/, ''))
    .filter((line, index) => line !== '' && !(index === 0 && line.startsWith('#version')))
    .map((line) => parseMerge(line, path));
}

function parseMerge(line: string, where: string): Merge {
  const [left, right, ...rest] = line.split(' ');
  if (!left || !right || rest.length > 0) {
    throw new EncoreError(
      'checkpoint_invalid',
      `${where}: "${line.slice(0, 80)}" is not a merge of two symbols`,
    );
  }
  return [left, right];
}
