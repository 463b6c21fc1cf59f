import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { parseInfotext, writeInfotext } from '../../lib/media/infotext.ts';
import { exportPicture } from '../../lib/media/export.ts';
import { encodePng, stripPng } from '../../lib/media/png.ts';
import { readPicture } from '../../lib/media/read-picture.ts';
import { internationalTextChunk, readChunks, textChunk, writeChunks } from '../../lib/media/png-chunks.ts';
import { previewDataUrl } from '../../lib/media/preview.ts';
import { generationParamsSchema } from '../../lib/contracts/generation.ts';
import { aReceipt, aRequest } from '../support/fixtures.ts';

const params = generationParamsSchema.parse({
  ...aRequest({ prompt: 'a fox, in a meadow', negativePrompt: 'blurry: yes', plan: { keySteps: [0, 3, 7] } }),
  model: 'toybox',
  width: 64,
  height: 64,
  steps: 50,
  guidanceScale: 7.5,
  seed: 4_294_967_295,
  scheduler: 'ddim',
  injection: 0.003,
});
const receipt = aReceipt({ width: 5, height: 3, keySteps: [0, 3, 7] });
const metadata = { params, receipt, seed: 4_294_967_295, version: '1.2.3' };
const picture = { width: 5, height: 3, data: Uint8Array.from({ length: 45 }, (_, i) => i * 5) };

const text = (file: Uint8Array, keyword: string) => {
  const chunk = readChunks(file).find(({ data }) =>
    Buffer.from(data).toString('latin1').startsWith(`${keyword}\0`),
  );
  const body = Buffer.from(chunk?.data ?? []);
  return chunk?.type === 'tEXt'
    ? body.toString('latin1').slice(keyword.length + 1)
    : body.toString('utf8').slice(keyword.length + 5);
};

test('the pixels are those of the picture, in every reader', async () => {
  const file = await encodePng(picture, metadata);
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 5, height: 3, channels: 3 });
  expect([...data]).toEqual([...picture.data]);
  const pixels = Buffer.concat(readChunks(file).flatMap(({ type, data }) => (type === 'IDAT' ? [data] : [])));
  // One filter byte for each row.
  expect(inflateSync(pixels).length).toBe(3 * (5 * 3 + 1));
});

test('A1111 infotext, our JSON and the IPTC source type are in it', async () => {
  const file = await encodePng(picture, metadata);
  expect(text(file, 'parameters')).toBe(
    [
      'a fox, in a meadow',
      'Negative prompt: blurry: yes',
      'Steps: 50, Sampler: DDIM, CFG scale: 7.5, Seed: 4294967295, Size: 5x3, Model hash: 0123456789, Model: toybox, ' +
        'Encoder propagation: 0 3 7 3/50, Prior noise injection: 0.003, Version: Encore 1.2.3',
    ].join('\n'),
  );
  const { params: again } = JSON.parse(text(file, 'encore')) as { params: unknown };
  expect(generationParamsSchema.parse(again)).toEqual(params);
  expect((await sharp(file).metadata()).xmpAsString).toContain('digitalsourcetype/trainedAlgorithmicMedia');
});

test('what a picture was made from and with stands there in the words of A1111', async () => {
  const made = {
    ...metadata,
    params: {
      ...params,
      task: 'inpaint' as const,
      strength: 0.6,
      maskBlur: 4,
      clipSkip: 1,
      control: [
        { model: 'edges', image: 'x', scale: 0.5, start: 0, end: 0.8, preprocessor: 'canny' as const },
      ],
      loras: [{ id: 'ink', weight: 0.7 }],
    },
    receipt: {
      ...receipt,
      loras: [{ name: 'ink', hash: '1a2b3c4d5e6f', weight: 0.7, matched: 3, unmatched: 0 }],
      embeddings: [{ name: 'calm', hash: 'abcdefabcdef', vectors: 2 }],
      control: [{ model: 'edges', hash: '0011223344556677', scale: 0.5, start: 0, end: 0.8 }],
    },
  };
  const file = await encodePng(picture, made);
  const written = text(file, 'parameters');
  expect(written.split('\n')[0]).toBe('a fox, in a meadow <lora:ink:0.7>');
  const { fields } = parseInfotext(written);
  expect(Object.fromEntries(fields)).toMatchObject({
    'Denoising strength': '0.6',
    'Mask blur': '4',
    'Clip skip': '2',
    'ControlNet 0':
      'Module: canny, Model: edges [00112233], Weight: 0.5, Resize Mode: Crop and Resize, Guidance Start: 0, Guidance End: 0.8, Control Mode: Balanced',
    'Lora hashes': 'ink: 1a2b3c4d5e6f',
    'TI hashes': 'calm: abcdefabcdef',
  });
  const xmp = (bytes: Uint8Array) =>
    sharp(bytes)
      .metadata()
      .then(({ xmpAsString }) => xmpAsString);
  for (const bytes of [file, stripPng(file), await exportPicture(file, 'jpeg', false)]) {
    expect(await xmp(bytes)).toContain('digitalsourcetype/compositeWithTrainedAlgorithmicMedia');
  }
  // What is left when another program keeps nothing but infotext.
  const plain = await sharp(file)
    .withExif({ IFD2: { UserComment: written } })
    .jpeg()
    .toBuffer();
  expect((await readPicture(plain)).params).toMatchObject({
    prompt: 'a fox, in a meadow',
    clipSkip: 1,
    loras: [{ id: 'ink', weight: 0.7 }],
  });
});

test('sharp, which does not share our chunk code, reads the same text', async () => {
  const { comments } = await sharp(await encodePng(picture, metadata)).metadata();
  const parameters = comments?.find(({ keyword }) => keyword === 'parameters')?.text ?? '';
  expect(parseInfotext(parameters).fields.get('Seed')).toBe('4294967295');
});

test('the same request gives the same file, however long it took', async () => {
  const slower = {
    ...receipt,
    seconds: { ...receipt.seconds, total: 99 },
    peakMemoryBytes: 5,
    notices: ['slow'],
  };
  expect(await encodePng(picture, metadata)).toEqual(
    await encodePng(picture, { ...metadata, receipt: slower }),
  );
});

test('text beyond Latin-1 is kept', async () => {
  const prompt = 'ein Füchslein 🦊 狐';
  const file = await encodePng(picture, { ...metadata, params: { ...params, prompt } });
  expect(parseInfotext(text(file, 'parameters')).prompt).toBe(prompt);
});

test('chunks: what is written is read, and any damage is noticed', () => {
  const chunk = fc.record({
    type: fc.stringMatching(/^[a-zA-Z]{4}$/).filter((type) => type !== 'IEND'),
    data: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 5 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (chunks, at, flip) => {
        const all = [...chunks, { type: 'IEND', data: new Uint8Array() }];
        const file = writeChunks(all);
        expect(readChunks(file).map(({ type, data }) => ({ type, data: Uint8Array.from(data) }))).toEqual(
          all,
        );
        const damaged = Uint8Array.from(file);
        damaged[at % file.length]! ^= flip;
        expect(() => readChunks(damaged)).toThrow(/damaged/);
        expect(() => readChunks(file.subarray(0, at % file.length))).toThrow(/damaged/);
      },
    ),
  );
});

test('tEXt for Latin-1 as A1111 writes it, iTXt beyond', () => {
  expect(textChunk('parameters', 'ä fox\nSteps: 1').type).toBe('tEXt');
  expect(textChunk('parameters', 'fox 🦊').type).toBe('iTXt');
  expect(textChunk('parameters', 'tab\t').type).toBe('iTXt');
  expect(Buffer.from(internationalTextChunk('k', 'ä').data)).toEqual(Buffer.from('k\0\0\0\0\0ä', 'utf8'));
});

test('infotext: what is written is read', () => {
  const line = fc
    .string({ unit: 'grapheme', maxLength: 30 })
    .map((s) => s.replace(/[\r\n\u2028\u2029]/g, ' ').trim());
  const prompt = fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n').trim());
  const plain = prompt.filter((p) => !p.includes('Negative prompt:'));
  const value = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }).map((s) => `v${s.trim()}`);
  fc.assert(
    fc.property(plain, plain, fc.tuple(value, value, value), (prompt, negativePrompt, [a, b, c]) => {
      const fields = new Map([
        ['Steps', '50'],
        ['CFG scale', a],
        ['Model', b],
        ['Hires upscale-x/y', c],
      ]);
      const info = { prompt, negativePrompt, fields };
      expect(parseInfotext(writeInfotext(info))).toEqual(info);
    }),
  );
});

test('infotext: fewer than three pairs in the last line are part of the prompt', () => {
  expect(parseInfotext('a fox\nstyle: oil, mood: calm')).toEqual({
    prompt: 'a fox\nstyle: oil, mood: calm',
    negativePrompt: '',
    fields: new Map(),
  });
});

test('infotext: as A1111 writes it, with quoted values and a negative prompt of several lines', () => {
  const info = parseInfotext(
    [
      'masterpiece, <lora:style:0.8>',
      'second line',
      'Negative prompt: ugly,',
      'blurry',
      'Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, Model hash: c6bbc15e32, Model: sd-v1-5, ControlNet 0: "preprocessor: canny, weight: 1", Lora hashes: "style: 1a2b3c4d5e6f, b: 00", Version: v1.10.1',
    ].join('\r\n'),
  );
  expect(info.prompt).toBe('masterpiece, <lora:style:0.8>\nsecond line');
  expect(info.negativePrompt).toBe('ugly,\nblurry');
  expect(info.fields.get('Sampler')).toBe('DPM++ 2M Karras');
  expect(info.fields.get('ControlNet 0')).toBe('preprocessor: canny, weight: 1');
  expect(info.fields.get('Lora hashes')).toBe('style: 1a2b3c4d5e6f, b: 00');
});

test('a preview is a small webp, never larger than the picture', async () => {
  const [small, large] = await Promise.all([
    previewDataUrl(picture),
    previewDataUrl({ width: 600, height: 300, data: new Uint8Array(600 * 300 * 3) }),
  ]);
  const sizeOf = async (url: string) =>
    sharp(Buffer.from(url.replace('data:image/webp;base64,', ''), 'base64')).metadata();
  expect(await sizeOf(small)).toMatchObject({ format: 'webp', width: 5, height: 3 });
  expect(await sizeOf(large)).toMatchObject({ format: 'webp', width: 256, height: 128 });
});
