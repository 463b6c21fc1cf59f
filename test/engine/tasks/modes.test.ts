import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { receiptSchema } from '../../../lib/contracts/generation.ts';
import type { TaskName } from '../../../lib/contracts/task-inputs.ts';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import type { GenerateInput, Picture, Progress } from '../../../lib/engine/tasks/task.ts';
import { rows } from '../../../lib/engine/tensor/arithmetic.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { readModes, writeInpaintingModel } from '../../support/modes.ts';
import { difference, expectTrajectory } from '../../support/parity.ts';

type Float32 = Tensor<'float32'>;

const scratch = await mkdtemp(join(tmpdir(), 'encore-modes-'));
const inpainting = join(scratch, 'inpainting');
const modes = await readModes(inpainting);
const { cases, tensors, image, mask, requestOf, skipped } = modes;
let engine: Engine;

beforeAll(async () => {
  engine = new Engine({ device: 'cpu' });
  await writeInpaintingModel(inpainting);
});
afterAll(async () => {
  await engine.dispose();
  await rm(scratch, { recursive: true });
});

describe('final latents, against Python', () => {
  test.each(cases)('$case', async (entry) => {
    const { latents, receipt } = await engine.generate(requestOf(entry));
    expectTrajectory(latents, tensors.get(`${entry.case}.latents`) as Float32, entry.case);
    expect(receiptSchema.parse(receipt)).toEqual(receipt);
    const evaluated = modes.steps - skipped(entry.strength);
    expect(receipt).toMatchObject({
      decoderRuns: evaluated,
      encoderRuns: entry.keySteps?.length ?? evaluated,
    });
    expect(receipt.skippedSteps ?? 0).toBe(skipped(entry.strength));
  });

  test('propagation moves them by far more than the gate', () => {
    for (const name of ['image-to-image', 'inpaint', 'inpaint-9']) {
      const [exact, propagated] = [name, `${name}-propagated`].map((key) => tensors.get(`${key}.latents`)!);
      expect(difference(propagated!, exact!).max).toBeGreaterThan(0.01);
    }
  });
});

describe('serial and parallel', () => {
  test.each(cases.filter(({ keySteps }) => keySteps !== undefined))('$case', async (entry) => {
    const serial = await engine.generate({ ...requestOf(entry), decodeWidth: 1 });
    const parallel = await engine.generate({ ...requestOf(entry), decodeWidth: 7 });
    expect(parallel.receipt.decodeWidth).toBeGreaterThan(1);
    expect(difference(parallel.latents, serial.latents).max).toBeLessThan(1e-5);
  });
});

describe('image to image', () => {
  test('each picture of a batch is the picture of its own seed; the picture is encoded once', async () => {
    const request = requestOf({ task: 'image-to-image', strength: 0.5 });
    const batch = await engine.generate({ ...request, count: 2 });
    const alone = await engine.generate({ ...request, seed: request.seed + 1 });
    expect(difference(rows(batch.latents, 1, 2), alone.latents).max).toBeLessThan(1e-4);
    expect(difference(rows(batch.latents, 0, 1), alone.latents).max).toBeGreaterThan(0.1);
  });

  test('the less strength, the closer to the picture', async () => {
    const distance = async (strength: number) => {
      const { pictures } = await engine.generate(requestOf({ task: 'image-to-image', strength }));
      return pictures[0]!.data.reduce((sum, value, i) => sum + Math.abs(value - image.data[i]!), 0);
    };
    const [low, high] = [await distance(0.05), await distance(1)];
    expect(low).toBeLessThan(high);
  });

  test('progress ends at 1, with the encoding counted', async () => {
    const seen: Progress[] = [];
    await engine.generate(requestOf({ task: 'image-to-image', strength: 0.5 }), {
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.at(-1)).toMatchObject({ fraction: 1, step: 10, steps: 10 });
    const fractions = seen.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });
});

describe('inpaint', () => {
  const pixelAt = ({ data, width }: Picture, x: number, y: number) =>
    data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3);
  const painted = (x: number, y: number) => mask.data[y * mask.width + x]! > 0;

  test('without a feather not a byte outside the mask changes, and inside nearly every one', async () => {
    const request = { ...requestOf({ task: 'inpaint', strength: 1 }), maskBlur: 0 };
    const [picture] = (await engine.generate(request)).pictures as [Picture];
    let changed = 0;
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        const [after, before] = [pixelAt(picture, x, y), pixelAt(image, x, y)];
        if (!painted(x, y)) expect(after).toEqual(before);
        else changed += Number(after.some((value, channel) => value !== before[channel]));
      }
    }
    expect(changed / mask.data.filter((value) => value > 0).length).toBeGreaterThan(0.9);
  });

  test.each(['fill', 'latent-noise', 'latent-nothing'] as const)(
    '%s under the mask',
    async (maskedContent) => {
      const request = requestOf({ task: 'inpaint', strength: 0.5 });
      const { latents } = await engine.generate({ ...request, maskedContent });
      const original = await engine.generate({ ...request, maskedContent: 'original' });
      expect(difference(latents, original.latents).max).toBeGreaterThan(0.05);
    },
  );

  test('a mask over everything is image to image', async () => {
    const whole = { ...mask, data: new Uint8Array(mask.data.length).fill(255) };
    const request = requestOf({ task: 'inpaint', strength: 0.6 });
    const inpainted = await engine.generate({ ...request, mask: whole });
    const redrawn = await engine.generate(requestOf({ task: 'image-to-image', strength: 0.6 }));
    expect(inpainted.pictures).toEqual(redrawn.pictures);
  });
});

describe('a second, larger pass', () => {
  test('by latents: diffusers’ text to image, bilinear interpolation, image to image', async () => {
    const { receipt, latents, pictures } = await engine.generate({
      ...requestOf({ task: 'text-to-image' }),
      upscale: { factor: 2, method: 'latent', strength: 0.5 },
    });
    expectTrajectory(latents, tensors.get('upscale.latents') as Float32, 'upscale');
    expect(pictures[0]).toMatchObject({ width: 2 * modes.width, height: 2 * modes.height });
    expect(receiptSchema.parse(receipt)).toEqual(receipt);
    expect(receipt).toMatchObject({ encoderRuns: 30, decoderRuns: 30, width: 2 * modes.width });
    expect(receipt.legs).toMatchObject([
      { width: modes.width, steps: 20, skippedSteps: 0 },
      { width: 2 * modes.width, steps: 10, skippedSteps: 10 },
    ]);
  });

  test('given noise is the first leg’s; the second draws its own', async () => {
    const shape = [20, 1, 4, 6, 8];
    const { receipt } = await engine.generate({
      ...requestOf({ task: 'text-to-image' }),
      scheduler: 'euler-a',
      noise: float32(shape),
      upscale: { factor: 2, method: 'latent', strength: 0.1 },
    });
    expect(receipt.decoderRuns).toBe(22);
  });

  test('by pixels, of a drawn and of a given picture, propagated in both legs', async () => {
    const base: Partial<GenerateInput> = { plan: 'faster', injection: 0.003, count: 2 };
    const settings = { factor: 1.5, method: 'image', strength: 0.6 } as const;
    const drawn = await engine.generate({
      ...requestOf({ task: 'image-to-image', strength: 0.5 }),
      ...base,
      upscale: settings,
    });
    expect(drawn.receipt.legs!.map(({ keySteps }) => keySteps.length)).toEqual([6, 6]);
    expect(drawn.pictures).toHaveLength(2);
    const given = await engine.generate({ ...requestOf({ task: 'upscale' }), ...base, upscale: settings });
    expect(given.receipt.legs).toBeUndefined();
    for (const { pictures, latents } of [drawn, given]) {
      expect(pictures[0]).toMatchObject({ width: 48, height: 40 });
      expect(difference(rows(latents, 0, 1), rows(latents, 1, 2)).max).toBeGreaterThan(0.1);
    }
  });
});

describe('what does not fit is refused', () => {
  const refused = (change: Partial<GenerateInput>, task: TaskName = 'inpaint') =>
    engine.generate({ ...requestOf({ task, strength: 0.5 }), ...change });

  test.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['no picture', () => refused({ image: undefined }), 'invalid_parameter', /inpaint needs a picture/],
    ['no mask', () => refused({ mask: undefined }), 'invalid_parameter', /needs a mask/],
    [
      'a picture of another size',
      () => refused({ width: 64 }),
      'invalid_parameter',
      /image is 32x24, the request 64x24/,
    ],
    [
      'a mask of another size',
      () => refused({ mask: { width: 8, height: 8, data: new Uint8Array(64) } }),
      'invalid_parameter',
      /mask is 8x8, the request 32x24/,
    ],
    [
      'an empty mask',
      () => refused({ mask: { ...mask, data: new Uint8Array(mask.data.length) } }),
      'invalid_parameter',
      /mask is empty/,
    ],
    [
      'a strength that leaves no step',
      () => refused({ strength: 0.04 }, 'image-to-image'),
      'invalid_parameter',
      /strength of 0.04 leaves none of 20 steps/,
    ],
    [
      'latents of another size than the picture',
      () => refused({ latents: float32([1, 4, 6, 6]) }),
      'invalid_tensor',
      /are of 24x24 pixels, the picture is 32x24/,
    ],
    [
      'an inpainting model without a mask',
      () => refused({ model: inpainting }, 'image-to-image'),
      'unsupported_task',
      /reads 9 channels/,
    ],
    [
      'an upscaled picture that is too large',
      () => refused({ upscale: { factor: 100, method: 'image', strength: 0.5 } }, 'upscale'),
      'invalid_parameter',
      /upscaling 32x24 by 100 gives 3200x2400/,
    ],
  ])('%s', async (_, run, code, message) => {
    await expect(run()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });
});
