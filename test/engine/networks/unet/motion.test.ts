import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '../../../../lib/engine/checkpoint/model-source.ts';
import { readSafetensors } from '../../../../lib/engine/checkpoint/safetensors.ts';
import { joinedWeights } from '../../../../lib/engine/checkpoint/weight-map.ts';
import { parseUnetConfig } from '../../../../lib/engine/networks/unet/config.ts';
import { UnetDenoiser } from '../../../../lib/engine/networks/unet/denoiser.ts';
import { openMotionAdapter } from '../../../../lib/engine/tasks/motion-adapter.ts';
import { concatRows, reshaped } from '../../../../lib/engine/tensor/arithmetic.ts';
import type { Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import reference from '../../../golden/tiny-sd/reference/motion.json' with { type: 'json' };
import { writeMotionAdapter } from '../../../support/motion.ts';
import { difference, expectForward } from '../../../support/parity.ts';
import { testRuntime } from '../../support/graphs.ts';

// References: training/golden/motion.py, by diffusers' UNetMotionModel.

type Float32 = Tensor<'float32'>;
const { frames, timestep } = reference;

let scratch: string;
let tensors: Map<string, Tensor>;
let denoiser: UnetDenoiser;
const tensor = (name: string) => tensors.get(name) as Float32;

async function unet() {
  const { config, weights } = await (await openModel('test/golden/tiny-sd')).network('unet');
  return { config: parseUnetConfig(config), weights };
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'encore-motion-'));
  tensors = await readSafetensors('test/golden/tiny-sd/reference/motion.safetensors');
  const { config, weights } = await unet();
  const adapter = await openMotionAdapter(await writeMotionAdapter(join(scratch, 'tiny-motion')), config);
  const runtime = await testRuntime();
  const open = (graph: Parameters<typeof runtime.open>[0]) => runtime.open(graph);
  denoiser = new UnetDenoiser(config, joinedWeights(weights, adapter.weights), open, adapter.config);
});
afterAll(async () => {
  await denoiser.dispose();
  await rm(scratch, { recursive: true });
});

describe('a UNet with a motion adapter', () => {
  it("computes what diffusers' UNetMotionModel does", async () => {
    const prepared = await denoiser.prepare({
      encoderHiddenStates: tensor('encoder_hidden_states'),
      frames: { count: frames, perCall: 1 },
    });
    const features = await denoiser.encode(tensor('sample'), timestep, prepared);
    const prediction = await denoiser.decode(features, [timestep], prepared);
    expectForward(
      reshaped(prediction, prediction.shape.slice(1)),
      tensor('output.sample'),
      'frames that see each other',
    );
  });

  it('decodes several steps at once as one after the other, with guidance', async () => {
    const text = tensor('encoder_hidden_states');
    const prepared = await denoiser.prepare({
      encoderHiddenStates: concatRows([text, text]),
      frames: { count: frames, perCall: 1 },
    });
    expect(prepared.rows).toBe(2 * frames);
    const features = await denoiser.encode(tensor('sample'), timestep, prepared);
    const times = [timestep, 321, 1];
    const together = await denoiser.decode(features, times, prepared);
    const singly = [];
    for (const time of times) singly.push(await denoiser.decode(features, [time], prepared));
    expect(difference(together, concatRows(singly)).max).toBeLessThan(1e-5);
  });
});

describe('a motion adapter', () => {
  it('is refused beside a UNet that it was not made for, and in other forms', async () => {
    const { config } = await unet();
    const change = async (values: Record<string, unknown>) =>
      openMotionAdapter(await writeMotionAdapter(join(scratch, 'other'), values), config);
    await expect(change({ block_out_channels: [16, 32, 64] })).rejects.toMatchObject({
      code: 'checkpoint_unsupported',
      message: expect.stringContaining('block_out_channels is 16, 32, 64, the UNet has 16, 32, 32') as string,
    });
    await expect(change({ conv_in_channels: 9 })).rejects.toThrow('conv_in_channels');
    await expect(change({ _class_name: 'ControlNetModel' })).rejects.toThrow('is a ControlNetModel');
    await expect(openMotionAdapter('test/golden/tiny-sd', config)).rejects.toThrow('not a MotionAdapter');
  });
});
