import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClipTokenizer } from '../../../lib/engine/tokenizers/clip.ts';

const golden = 'test/golden';

interface Case {
  text: string;
  ids: number[];
  padded: number[];
  truncated: number[];
  decoded: string;
}

let scratch: string;
let cases: Record<string, Case[]>;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'encore-tokenizer-'));
  const file = JSON.parse(await readFile(join(golden, 'tokenizer/ids.json'), 'utf8')) as {
    cases: Record<string, Case[]>;
  };
  cases = file.cases;
});
afterAll(() => rm(scratch, { recursive: true }));

/** CLIP's own vocabulary, derived from its merges alone, and two with all their files. */
const folders: Record<string, string> = {
  clip: 'models/tokenizers/clip',
  'tiny-sd': join(golden, 'tiny-sd/tokenizer'),
  'tiny-sd2': join(golden, 'tiny-sd2/tokenizer'),
};

describe.each(['clip', 'tiny-sd', 'tiny-sd2'])('%s', (name) => {
  test('gives the ids of transformers, with padding, truncation and text', async () => {
    const tokenizer = await ClipTokenizer.load(folders[name]!);
    expect(cases[name]!.length).toBeGreaterThan(150);
    for (const { text, ids, padded, truncated, decoded } of cases[name]!) {
      const label = JSON.stringify(text);
      expect(tokenizer.tokenize(text), label).toEqual(ids.slice(1, -1));
      expect(tokenizer.decode(ids), label).toBe(decoded);
      const encoded = tokenizer.encode(text, 77);
      expect(encoded.ids, label).toHaveLength(77);
      expect(encoded.tokens, label).toBe(ids.length - 2);
      if (ids.length > 77) {
        expect(encoded.ids.slice(0, 76), label).toEqual(ids.slice(0, 76));
        expect(encoded.ids.slice(-2), label).toEqual(truncated);
        expect(encoded.dropped, label).not.toBe('');
      } else {
        expect(encoded.ids.slice(0, ids.length), label).toEqual(ids);
        expect(encoded.ids.slice(ids.length, ids.length + 1), label).toEqual(padded);
        expect(encoded.dropped, label).toBe('');
      }
    }
  });
});

test('reads a folder that has only tokenizer.json', async () => {
  const folder = join(scratch, 'fast');
  await mkdir(folder);
  await copyFile(join(golden, 'tokenizer/tokenizer.json'), join(folder, 'tokenizer.json'));
  const tokenizer = await ClipTokenizer.load(folder);
  for (const { text, ids } of cases['tiny-sd']!) expect(tokenizer.tokenize(text)).toEqual(ids.slice(1, -1));
  expect(tokenizer.maxLength).toBe(77);
});

test('decoding plain words gives them back', async () => {
  const tokenizer = await ClipTokenizer.load(join(golden, 'tiny-sd/tokenizer'));
  const word = fc.stringMatching(/^[a-zé日🙂]{1,12}$/u);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      // Letters and emoji do not share a word; a space already stands between those that do not.
      const text = words.join(' ').replace(/(\p{L})(?=🙂)|(🙂)(?=\p{L})/gu, '$1$2 ');
      expect(tokenizer.decode(tokenizer.tokenize(text))).toBe(text.normalize('NFC'));
    }),
  );
});

test('special_tokens_map wins over tokenizer_config unless the config lists its added tokens', async () => {
  const folder = join(scratch, 'special');
  await mkdir(folder);
  for (const file of ['vocab.json', 'merges.txt']) {
    await copyFile(join(golden, 'tiny-sd/tokenizer', file), join(folder, file));
  }
  await writeFile(join(folder, 'special_tokens_map.json'), '{"pad_token": "!"}');
  await writeFile(
    join(folder, 'tokenizer_config.json'),
    '{"pad_token": "<|endoftext|>", "model_max_length": 14}',
  );
  const mapped = await ClipTokenizer.load(folder);
  expect([mapped.padId, mapped.maxLength]).toEqual([0, 14]);
  const listed = { pad_token: '<|endoftext|>', added_tokens_decoder: { 693: { content: '<|endoftext|>' } } };
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(listed));
  expect((await ClipTokenizer.load(folder)).padId).toBe(693);
});

test.each([
  ['vocab.json', '{"a": "b"}', 'checkpoint_invalid', /vocab\.json/],
  ['vocab.json', '{"a": 0}', 'checkpoint_invalid', /bos_token|not in the vocabulary/],
  ['merges.txt', 'a b c\n', 'checkpoint_invalid', /"a b c" is not a merge/],
  ['merges.txt', 'q zz\n', 'checkpoint_invalid', /"q zz"/],
  ['tokenizer_config.json', '[]', 'checkpoint_invalid', /tokenizer_config/],
])('a damaged %s (%s) is refused in one sentence', async (name, content, code, message) => {
  const folder = await mkdtemp(join(scratch, 'damaged-'));
  for (const file of ['vocab.json', 'merges.txt', 'tokenizer_config.json']) {
    await copyFile(join(golden, 'tiny-sd/tokenizer', file), join(folder, file));
  }
  await writeFile(join(folder, name), content);
  await expect(ClipTokenizer.load(folder)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
});

test('a missing folder and an empty one are refused', async () => {
  await expect(ClipTokenizer.load(join(scratch, 'none'))).rejects.toMatchObject({
    code: 'checkpoint_not_found',
  });
  const empty = await mkdtemp(join(scratch, 'empty-'));
  await expect(ClipTokenizer.load(empty)).rejects.toMatchObject({ code: 'checkpoint_not_found' });
});

test('a hostile word of 20,000 characters is encoded in reasonable time', async () => {
  const tokenizer = await ClipTokenizer.load(join(golden, 'tiny-sd/tokenizer'));
  expect(tokenizer.tokenize('ab'.repeat(10_000)).length).toBeGreaterThan(5000);
});
