import fc from 'fast-check';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import {
  bytesOf,
  maxHeaderBytes,
  openSafetensors,
  readSafetensors,
  readWeight,
  typedArray,
  writeSafetensors,
  writeSafetensorsStream,
} from '../../../lib/engine/checkpoint/safetensors.ts';
import {
  bytesPerElement,
  float32,
  sizeOf,
  tensor,
  type DType,
  type Tensor,
} from '../../../lib/engine/tensor/tensor.ts';
import { durable, recordSyncs } from '../../support/syncs.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'encore-safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

const dtypes = Object.keys(bytesPerElement) as DType[];
const tensors: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.nat(4), { maxLength: 4 }), fc.nat(255))
  .map(([dtype, shape, start]) => {
    const bytes = Uint8Array.from(
      { length: sizeOf(shape) * bytesPerElement[dtype] },
      (_, i) => start + 7 * i,
    );
    return tensor(dtype, shape, typedArray(dtype, bytes) as never);
  });
/** zod leaves `__proto__` out of records, on purpose. */
const keys = fc.string().filter((key) => key !== '__proto__');
const names = fc
  .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
  .filter((name) => name !== '__metadata__');

/** A file of one's own making: header as text, then `dataBytes` zeros. */
async function craft(
  header: string,
  dataBytes: number,
  claimed = Buffer.byteLength(header),
): Promise<string> {
  const path = join(folder, 'crafted.safetensors');
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(claimed));
  await writeFile(path, Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(dataBytes)]));
  return path;
}
const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

async function refusal(promise: Promise<unknown>): Promise<EncoreError> {
  const error: unknown = await promise.then(
    () => expect.fail('was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof EncoreError)) throw error;
  return error;
}

describe('safetensors', () => {
  it('gives back what was written, every type, shape, name and bit', async () => {
    const path = join(folder, 'round.safetensors');
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(names, tensors, { maxKeys: 6 }),
        fc.dictionary(keys, fc.string()),
        async (written, metadata) => {
          await writeSafetensors(path, written, metadata);
          const read = await readSafetensors(path);
          expect([...read.keys()].sort()).toEqual(Object.keys(written).sort());
          for (const [name, { dtype, shape, data }] of read) {
            expect({ dtype, shape }).toEqual({ dtype: written[name]?.dtype, shape: written[name]?.shape });
            expect(Buffer.from(bytesOf(data)).equals(bytesOf(written[name]!.data))).toBe(true);
          }
          const file = await openSafetensors(path);
          expect(file.metadata).toEqual(Object.keys(metadata).length > 0 ? metadata : {});
          for (const ref of file.tensors.values()) expect(ref.offset % bytesPerElement[ref.dtype]).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses every truncation of a good file with a typed error that names the file', async () => {
    const whole = join(folder, 'whole.safetensors');
    await writeSafetensors(whole, { 'a.weight': float32([2, 3]), 'a.bias': float32([3]) });
    const bytes = await readFile(whole);
    const cut = join(folder, 'cut.safetensors');
    for (let length = 0; length < bytes.length; length++) {
      await writeFile(cut, bytes.subarray(0, length));
      const error = await refusal(openSafetensors(cut));
      expect(error.code).toBe('checkpoint_invalid');
      expect(error.message).toContain('cut.safetensors');
    }
  });

  it('survives any bit flip: either a typed error or tensors inside the file', async () => {
    const whole = join(folder, 'whole.safetensors');
    await writeSafetensors(whole, {
      'a.weight': float32([2, 3]),
      'a.bias': tensor('float16', [5], new Uint16Array(5)),
    });
    const bytes = await readFile(whole);
    const flipped = join(folder, 'flipped.safetensors');
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const copy = Buffer.from(bytes);
      copy[bit >> 3]! ^= 1 << (bit & 7);
      await writeFile(flipped, copy);
      try {
        const file = await openSafetensors(flipped);
        for (const ref of file.tensors.values()) {
          expect(ref.offset + ref.length).toBeLessThanOrEqual(bytes.length);
          await readWeight(ref);
        }
      } catch (error) {
        expect(error, `bit ${bit}`).toBeInstanceOf(EncoreError);
        refused++;
      }
    }
    // Most of this small file is header, and most of a header cannot change without contradiction.
    expect(refused).toBeGreaterThan(bytes.length);
  });

  it.each<[string, string, number, string]>([
    ['a hole', `{"a":${entry('F32', [1], 4, 8)}}`, 8, 'tensor "a" begins at data byte 4'],
    [
      'an overlap',
      `{"a":${entry('F32', [2], 0, 8)},"b":${entry('F32', [1], 4, 8)}}`,
      8,
      'tensor "b" begins at data byte 4',
    ],
    ['a tail', `{"a":${entry('F32', [1], 0, 4)}}`, 8, 'cover 4 of 8'],
    ['an end past the file', `{"a":${entry('F32', [4], 0, 16)}}`, 8, 'cut short'],
    ['a shape that does not fit', `{"a":${entry('F32', [3], 0, 8)}}`, 8, 'needs 12 bytes'],
    ['a shape whose product overflows', `{"a":${entry('F32', [2 ** 52, 2 ** 52], 0, 8)}}`, 8, 'tensor "a"'],
    [
      'a shape of zeros and infinities',
      `{"a":${entry(
        'F32',
        Array(8)
          .fill(2 ** 52)
          .concat([0]),
        0,
        8,
      )}}`,
      8,
      'tensor "a"',
    ],
    ['a negative dimension', `{"a":${entry('F32', [-1], 0, 4)}}`, 4, 'tensor "a"'],
    ['a fraction', `{"a":${entry('F32', [0.5], 0, 2)}}`, 2, 'tensor "a"'],
    ['backward offsets', `{"a":${entry('F32', [1], 4, 0)}}`, 4, 'tensor "a"'],
    ['an unknown type', `{"a":${entry('F13', [1], 0, 4)}}`, 4, 'no element type "F13"'],
    ['a type from the prototype', `{"a":${entry('constructor', [1], 0, 4)}}`, 4, 'no element type'],
    ['extra fields', '{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}', 4, 'tensor "a"'],
    [
      'a name given twice',
      `{"a":${entry('F32', [1], 0, 4)},"\\u0061":${entry('F32', [1], 0, 4)}}`,
      4,
      'twice',
    ],
    ['metadata that are not strings', '{"__metadata__":{"a":1}}', 0, '__metadata__'],
    ['an array', '[1, 2, 3, 4]', 0, 'not a JSON object'],
    ['no JSON', '{"a":', 0, 'not JSON'],
    ['nesting', '['.repeat(100_000), 0, 'not JSON'],
  ])('refuses %s', async (_, header, dataBytes, message) => {
    const error = await refusal(openSafetensors(await craft(header, dataBytes)));
    expect(error.code).toBe('checkpoint_invalid');
    expect(error.message).toContain(message);
  });

  it('reads no header beyond its limit, whatever the file claims', async () => {
    for (const claimed of [maxHeaderBytes + 1, 2 ** 40]) {
      const error = await refusal(openSafetensors(await craft('{}', 100, claimed)));
      expect(error.message).toContain(`at most ${maxHeaderBytes}`);
    }
  });

  it('keeps tensors of types it cannot use apart, so that the others can be read', async () => {
    const path = await craft(`{"a":${entry('F32', [1], 0, 4)},"b":${entry('F8_E4M3', [4], 4, 8)}}`, 8);
    const file = await openSafetensors(path);
    expect([...file.tensors.keys()]).toEqual(['a']);
    expect([...file.unsupported]).toEqual([['b', 'F8_E4M3']]);
  });

  it('follows symlinks to the real file, as a Hugging Face cache has them', async () => {
    await writeSafetensors(join(folder, 'blob'), { a: float32([1]) });
    await symlink('blob', join(folder, 'linked.safetensors'));
    const { file, tensors: refs } = await openSafetensors(join(folder, 'linked.safetensors'));
    expect(file.endsWith('blob')).toBe(true);
    expect(refs.get('a')?.file).toBe(file);
  });

  it('says what is missing and what is near', async () => {
    const path = join(folder, 'names.safetensors');
    await writeSafetensors(path, { 'text_model.final_layer_norm.weight': float32([1]) });
    expect((await refusal(readSafetensors(path, ['final_layer_norm.weight']))).message).toContain(
      'it has text_model.final_layer_norm.weight',
    );
    expect((await refusal(openSafetensors(join(folder, 'nowhere.safetensors')))).code).toBe(
      'checkpoint_not_found',
    );
    expect((await refusal(openSafetensors(folder))).code).toMatch(/^checkpoint_/);
  });
});

describe('writing safetensors', () => {
  it('leaves the old file and no temporary one where the data do not fit their shape', async () => {
    const path = join(folder, 'kept.safetensors');
    await writeSafetensors(path, { a: float32([1], Float32Array.of(7)) });
    for (const length of [3, 5]) {
      const short = {
        name: 'a',
        dtype: 'float32',
        shape: [1],
        bytes: () => [new Uint8Array(length)],
      } as const;
      expect((await refusal(writeSafetensorsStream(path, [short]))).message).toContain('1 bytes too');
    }
    expect((await readSafetensors(path)).get('a')?.data).toEqual(Float32Array.of(7));
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('is on the disk before it has its name', async () => {
    const path = join(folder, 'flushed.safetensors');
    const syncs = await recordSyncs(path);
    await writeSafetensors(path, { a: float32([2]) });
    expect(syncs).toEqual(durable((await stat(path)).size));
  });

  it('gives equal bytes for equal input in any order', async () => {
    const [a, b] = [float32([2]), tensor('int8', [3], new Int8Array(3))];
    await writeSafetensors(join(folder, '1'), { a, b });
    await writeSafetensors(join(folder, '2'), { b, a });
    expect((await readFile(join(folder, '1'))).equals(await readFile(join(folder, '2')))).toBe(true);
  });
});
