import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { receiptSchema } from '../../../lib/contracts/generation.ts';
import { readSafetensors, writeSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import type { GenerateInput, Picture, Progress } from '../../../lib/engine/tasks/task.ts';
import { reshaped, rows } from '../../../lib/engine/tensor/arithmetic.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { difference, expectForward, expectPictures, expectTrajectory } from '../../support/parity.ts';

type Float32 = Tensor<'float32'>;

const folder = (name: string) => join('test/golden', name);
const request: GenerateInput = {
  task: 'text-to-image',
  model: folder('tiny-sd'),
  prompt: 'a fox in a meadow',
  negativePrompt: '',
  width: 64,
  height: 64,
  steps: 12,
  guidanceScale: 5,
  seed: 7,
  count: 1,
  plan: 'faster',
  injection: 0.003,
  decodeWidth: 'auto',
};
let engine: Engine;
let scratch: string;

beforeAll(async () => {
  engine = new Engine({ device: 'cpu' });
  scratch = await mkdtemp(join(tmpdir(), 'encore-engine-'));
});
afterAll(async () => {
  await engine.dispose();
  await rm(scratch, { recursive: true });
});

/** Last entry of a stack [N, ...]. */
const last = (stack: Float32) =>
  reshaped(rows(stack, stack.shape[0]! - 1, stack.shape[0]!), stack.shape.slice(1));

describe('from the words to the picture, against diffusers’ pipeline', () => {
  test.each([
    ['tiny-sd', 7.5],
    ['tiny-sd2', 5],
    ['tiny-toy', 5],
  ])('%s', async (name, guidanceScale) => {
    const { prompt, negativePrompt } = JSON.parse(
      await readFile(join(folder(name), 'reference/traces.json'), 'utf8'),
    ) as { prompt: string; negativePrompt: string };
    const tensors = await readSafetensors(join(folder(name), 'reference/traces.safetensors'));
    const { latents, pictures } = await engine.generate({
      ...request,
      model: folder(name),
      prompt,
      negativePrompt,
      guidanceScale,
      steps: 10,
      plan: 'exact',
      injection: 0,
      latents: tensors.get('latents') as Float32,
    });
    expectTrajectory(latents, last(tensors.get('exact.latents') as Float32), name);
    expectPictures(pictures, tensors.get('exact.pictures')!);
  });

  test('given embeds count as the words they come from', async () => {
    const tensors = await readSafetensors(join(folder('tiny-sd'), 'reference/traces.safetensors'));
    const given = {
      latents: tensors.get('latents') as Float32,
      promptEmbeds: tensors.get('prompt_embeds') as Float32,
      negativePromptEmbeds: tensors.get('negative_prompt_embeds') as Float32,
    };
    const { latents } = await engine.generate({
      ...request,
      ...given,
      prompt: '',
      injection: 0,
      plan: 'exact',
    });
    const words = {
      prompt: 'a Fox in a meadow, riding a horse!',
      negativePrompt: 'blurry',
      latents: given.latents,
    };
    const spoken = await engine.generate({ ...request, ...words, injection: 0, plan: 'exact' });
    expectForward(latents, spoken.latents, 'embeds');
  });
});

describe('seeds', () => {
  test('a picture of a batch is the picture of its own seed, alone', async () => {
    const batch = await engine.generate({ ...request, count: 3 });
    expect(batch.pictures).toHaveLength(3);
    for (const i of [0, 2]) {
      const alone = await engine.generate({ ...request, seed: request.seed + i });
      expect(difference(rows(batch.latents, i, i + 1), alone.latents).max).toBeLessThan(1e-4);
    }
    expect(difference(rows(batch.latents, 0, 1), rows(batch.latents, 1, 2)).max).toBeGreaterThan(0.5);
  });

  test('the same request gives the same bytes; the next seed wraps at 32 bits', async () => {
    const [a, b] = [await engine.generate(request), await engine.generate(request)];
    expect(a.pictures[0]!.data).toEqual(b.pictures[0]!.data);
    const wrapped = await engine.generate({ ...request, seed: 0xffff_ffff, count: 2 });
    const zero = await engine.generate({ ...request, seed: 0 });
    expect(difference(rows(wrapped.latents, 1, 2), zero.latents).max).toBeLessThan(1e-4);
  });
});

describe('the receipt', () => {
  test('says what was run, in a form that the contract accepts', async () => {
    const { receipt } = await engine.generate({ ...request, steps: 50 });
    expect(receiptSchema.parse(receipt)).toEqual(receipt);
    expect(receipt).toMatchObject({
      model: 'tiny-sd',
      device: 'cpu',
      scheduler: 'ddim',
      steps: 50,
      keySteps: [0, 1, 2, 3, 5, 10, 15, 25, 35],
      encoderRuns: 9,
      decoderRuns: 50,
      encoderRunsSaved: 41,
      decodeWidth: 5,
      width: 64,
      height: 64,
    });
    expect(receipt.exactEstimate!.unetSeconds).toBeGreaterThan(receipt.seconds.encoder);
    expect(receipt.exactEstimate!.method).toMatch(/41 more encoder passes at .* of this run/);
    const { total, ...stages } = receipt.seconds;
    expect(Object.values(stages).reduce((sum, s) => sum + s, 0)).toBeLessThanOrEqual(total + 0.001);
  });

  test('of a short run says that it was exact, and why', async () => {
    const { receipt } = await engine.generate({ ...request, steps: 4 });
    expect(receipt.encoderRuns).toBe(4);
    expect(receipt.notices.join(' ')).toContain('nothing to propagate');
  });
});

test('noise that skipped encoder passes do not see is told of, and only that', async () => {
  const notices = async (change: Partial<GenerateInput>) =>
    (await engine.generate({ ...request, ...change })).receipt.notices.join(' ');
  expect(await notices({ scheduler: 'euler-a' })).toMatch(/Euler a draws new noise .* exact/);
  expect(await notices({ eta: 1 })).toContain('DDIM draws new noise');
  expect(await notices({ scheduler: 'euler-a', plan: 'exact' })).toBe('');
  expect(await notices({ scheduler: 'euler' })).toBe('');
});

describe('hooks', () => {
  test('progress grows from 0 to 1 and previews come at key steps', async () => {
    const seen: Progress[] = [];
    const previews: [number, Picture][] = [];
    await engine.generate(
      { ...request, model: folder('tiny-toy'), steps: 20 },
      { onProgress: (progress) => seen.push(progress), onPreview: (...preview) => previews.push(preview) },
    );
    const fractions = seen.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect([fractions[0], fractions.at(-1)]).toEqual([0, 1]);
    expect(seen.filter(({ stage }) => stage === 'denoise').map(({ step }) => step)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    expect(seen.at(-1)!.etaSeconds).toBe(0);
    expect(previews[0]![0]).toBe(0);
    expect(previews[0]![1]).toMatchObject({ width: 64, height: 64 });
  });

  test('AutoencoderKL is previewed by fitted colours, one pixel per latent', async () => {
    const previews: Picture[] = [];
    await engine.generate(request, { onPreview: (_, picture) => previews.push(picture) });
    expect(previews[0]).toMatchObject({ width: 16, height: 16 });
    expect(new Set(previews[0]!.data).size).toBeGreaterThan(10);
  });

  test('a cancelled run ends between two calls, and the engine draws on', async () => {
    const cancel = new AbortController();
    let steps = 0;
    const run = engine.generate(
      { ...request, steps: 30, plan: 'exact' },
      {
        signal: cancel.signal,
        onProgress: ({ step }) => {
          steps = step;
          if (step === 3) cancel.abort();
        },
      },
    );
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(steps).toBe(3);
    await expect(engine.generate({ ...request, steps: 2 })).resolves.toHaveProperty('pictures.length', 1);
    await expect(engine.generate(request, { signal: cancel.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

describe('what does not fit is refused', () => {
  const latents = (...shape: number[]) => float32(shape);
  test.each<[string, Partial<GenerateInput>, string, RegExp]>([
    [
      'a width that is no multiple of 8',
      { width: 100 },
      'invalid_parameter',
      /width must be a multiple of 8, got 100/,
    ],
    ['no steps', { steps: 0 }, 'invalid_parameter', /steps .* got 0/],
    [
      'latents of other channels',
      { latents: latents(1, 3, 8, 8) },
      'invalid_tensor',
      /\[B, 4, h, w\], got \[1, 3, 8, 8\]/,
    ],
    ['flat latents', { latents: latents(4, 8, 8) }, 'invalid_tensor', /got \[4, 8, 8\]/],
    [
      'embeds of another batch',
      { promptEmbeds: latents(3, 77, 32) },
      'invalid_tensor',
      /prompt embeds .* \[3, 77, 32\]/,
    ],
    ['embeds of another length', { promptEmbeds: latents(1, 20, 32) }, 'invalid_tensor', /one shape/],
    [
      'noise of another size',
      { noise: latents(12, 1, 4, 8, 8) },
      'invalid_tensor',
      /noise must be \[steps, 1, 4, 16, 16\]/,
    ],
    ['a model that is not there', { model: 'test/golden/none' }, 'checkpoint_not_found', /none/],
    ['a component alone', { model: 'test/golden/tiny-sd/unet' }, 'unsupported_task', /without/],
  ])('%s', async (_, change, code, message) => {
    await expect(engine.generate({ ...request, ...change })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  /** A copy of tiny-sd with one JSON file changed. */
  async function changed(file: string, change: Record<string, unknown>): Promise<string> {
    const model = await mkdtemp(join(scratch, 'changed-'));
    await cp(folder('tiny-sd'), model, { recursive: true });
    const json = JSON.parse(await readFile(join(model, file), 'utf8')) as Record<string, unknown>;
    await writeFile(join(model, file), JSON.stringify({ ...json, ...change }));
    return model;
  }

  test('a model with two text encoders', async () => {
    const model = await changed('model_index.json', {
      text_encoder_2: ['transformers', 'CLIPTextModelWithProjection'],
    });
    await expect(engine.generate({ ...request, model })).rejects.toMatchObject({
      code: 'unsupported_task',
      message: expect.stringContaining('text_encoder_2') as string,
    });
  });

  test('an inpainting model', async () => {
    const model = await changed('unet/config.json', { in_channels: 9 });
    await expect(engine.generate({ ...request, model })).rejects.toMatchObject({
      code: 'unsupported_task',
      message: expect.stringContaining('reads 9 channels and writes 4') as string,
    });
  });

  test('an InstructPix2Pix model, by its name', async () => {
    const model = await changed('unet/config.json', { in_channels: 8 });
    for (const task of ['text-to-image', 'inpaint'] as const) {
      await expect(engine.generate({ ...request, model, task })).rejects.toMatchObject({
        code: 'checkpoint_unsupported',
        message: expect.stringContaining('reads 8 channels and writes 4: it is an InstructPix2Pix') as string,
      });
    }
  });

  test('a scheduler that is not built, unless another is chosen', async () => {
    const model = await changed('scheduler/scheduler_config.json', { _class_name: 'HeunDiscreteScheduler' });
    await expect(engine.generate({ ...request, model })).rejects.toMatchObject({
      code: 'unknown_scheduler',
    });
    const chosen = await engine.generate({ ...request, model, scheduler: 'euler', steps: 2 });
    expect(chosen.receipt.scheduler).toBe('euler');
  });

  test('weights with NaN, naming the step; and the mended file is read anew', async () => {
    const model = join(scratch, 'damaged');
    await cp(folder('tiny-sd'), model, { recursive: true });
    const file = join(model, 'unet/diffusion_pytorch_model.safetensors');
    const weights = await readSafetensors(file);
    const broken = Object.fromEntries(weights);
    broken['conv_in.bias'] = float32([16], new Float32Array(16).fill(NaN));
    await writeSafetensors(file, broken);
    await expect(engine.generate({ ...request, model })).rejects.toMatchObject({
      code: 'weights_invalid',
      message: expect.stringContaining('step 0') as string,
    });
    await writeSafetensors(file, Object.fromEntries(weights));
    await expect(engine.generate({ ...request, model })).resolves.toHaveProperty('pictures.length', 1);
  });
});
