import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import type { GenerateInput } from '../../../lib/engine/tasks/task.ts';
import type { Tensor } from '../../../lib/engine/tensor/tensor.ts';
import reference from '../../golden/tiny-sd/reference/motion.json' with { type: 'json' };
import { writeMotionAdapter } from '../../support/motion.ts';
import { difference, expectTrajectory } from '../../support/parity.ts';

// References: training/golden/motion.py, by diffusers' AnimateDiffPipeline, and propagated over its UNetMotionModel.

let scratch: string;
let engine: Engine;
let request: GenerateInput;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'encore-animatediff-'));
  engine = new Engine({ device: 'cpu' });
  const { prompt, negativePrompt, steps, seed, guidance, frames } = reference;
  request = {
    task: 'text-to-video',
    model: 'test/golden/tiny-sd',
    motionAdapter: await writeMotionAdapter(join(scratch, 'tiny-motion')),
    ...{ prompt, negativePrompt, steps, seed },
    width: 24,
    height: 16,
    guidanceScale: guidance,
    count: 1,
    plan: 'exact',
    injection: 0,
    decodeWidth: 'auto',
    noiseKind: 'torch-cpu',
    video: { frames, fps: 8, motion: { x: 0, y: 0 }, format: 'mp4' },
  };
});
afterAll(async () => {
  await engine.dispose();
  await rm(scratch, { recursive: true });
});

describe('AnimateDiff', () => {
  it("draws the frames of diffusers' pipeline, from its noise and its schedule", async () => {
    const tensors = await readSafetensors('test/golden/tiny-sd/reference/motion.safetensors');
    const { latents, pictures, receipt } = await engine.generate(request);
    expectTrajectory(latents, tensors.get('run') as Tensor<'float32'>, 'latents');
    expect(pictures).toHaveLength(reference.frames);
    expect(receipt).toMatchObject({ frames: reference.frames, motionAdapter: 'tiny-motion' });
  });

  it('propagates its encoder as a loop in Python does, the same however many steps to a call', async () => {
    const tensors = await readSafetensors('test/golden/tiny-sd/reference/motion.safetensors');
    const { steps, keySteps } = reference.propagated;
    const long = { ...request, steps, plan: { keySteps } };
    const serial = await engine.generate({ ...long, decodeWidth: 1 });
    const parallel = await engine.generate({ ...long, decodeWidth: 4 });
    expectTrajectory(serial.latents, tensors.get('propagated') as Tensor<'float32'>, 'propagated');
    expect(difference(parallel.latents, serial.latents).max).toBeLessThan(1e-5);
    expect(serial.receipt.encoderRuns).toBe(keySteps.length);
    expect(parallel.receipt.decodeWidth).toBeGreaterThan(1);
  });

  it('and the same model without the adapter do not share what is open', async () => {
    const { receipt } = await engine.generate({ ...request, motionAdapter: undefined });
    expect(receipt.motionAdapter).toBeUndefined();
    expect(receipt.legs).toHaveLength(2);
  });

  it('knows how many frames it was trained for', async () => {
    const video = { ...request.video!, frames: 9 };
    await expect(engine.generate({ ...request, video })).rejects.toMatchObject({
      code: 'invalid_parameter',
      message: 'tiny-motion knows 8 frames at most, got 9',
    });
  });
});
