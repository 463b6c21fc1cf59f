import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import { inspectModel } from '../../../lib/engine/tasks/inspect-model.ts';
import type { GenerateInput } from '../../../lib/engine/tasks/task.ts';
import type { Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { expectPictures, expectTrajectory } from '../../support/parity.ts';

// Reference: training/golden/toybox.py, diffusers' StableDiffusionPipeline on the bundled model.

type Float32 = Tensor<'float32'>;

const model = 'models/toybox';
const command = 'python training/golden/toybox.py';
const reference = JSON.parse(await readFile('test/golden/toybox/trace.json', 'utf8')) as {
  weights: Record<string, string>;
  prompt: string;
  negativePrompt: string;
  steps: number;
  guidance: number;
};
let tensors: Map<string, Tensor>;
let engine: Engine;

beforeAll(async () => {
  tensors = await readSafetensors('test/golden/toybox/trace.safetensors');
  engine = new Engine({ device: 'cpu' });
});
afterAll(() => engine.dispose());

test('the reference belongs to these weights', async () => {
  for (const [file, expected] of Object.entries(reference.weights)) {
    const actual = createHash('sha256')
      .update(await readFile(join(model, file)))
      .digest('hex');
    expect(actual, `models/toybox/${file} changed since the reference was made: run \`${command}\``).toBe(
      expected,
    );
  }
});

test('what ten exact steps end in, and the picture, are diffusers’', async () => {
  const input: GenerateInput = {
    task: 'text-to-image',
    model,
    prompt: reference.prompt,
    negativePrompt: reference.negativePrompt,
    width: 0,
    height: 0,
    steps: reference.steps,
    guidanceScale: reference.guidance,
    seed: 0,
    count: 1,
    plan: 'exact',
    injection: 0,
    decodeWidth: 'auto',
    latents: tensors.get('latents') as Float32,
  };
  const { latents, pictures, receipt } = await engine.generate(input);
  expectTrajectory(latents, tensors.get('exact.latents') as Float32, 'latents of the bundled model');
  expectPictures(pictures, tensors.get('exact.pictures')!);
  expect(receipt).toMatchObject({
    encoderRuns: 10,
    decoderRuns: 10,
    encoderRunsSaved: 0,
    width: 128,
    height: 128,
  });
});

test('its own defaults are read from its files', async () => {
  expect(await inspectModel(model)).toMatchObject({
    width: 128,
    height: 128,
    scheduler: 'ddim',
    plan: { every: 3 },
  });
});
