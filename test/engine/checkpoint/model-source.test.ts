import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import { openModel } from '../../../lib/engine/checkpoint/model-source.ts';
import { readWeight, writeSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { weightsHash } from '../../../lib/engine/checkpoint/weights-hash.ts';
import { float32 } from '../../../lib/engine/tensor/tensor.ts';

/** A Stable Diffusion of the real classes and tiny sizes: see training/golden. */
const tinySd = 'test/golden/tiny-sd';
let root: string;
let model: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'encore-model-'));
  model = join(root, 'model');
  await cp(tinySd, model, { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

async function refusal(promise: Promise<unknown>): Promise<EncoreError> {
  const error: unknown = await promise.then(
    () => expect.fail('was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof EncoreError)) throw error;
  return error;
}

const unetFile = () => join(model, 'unet', 'diffusion_pytorch_model.safetensors');

describe('a diffusers folder', () => {
  it('names its components and opens configs and weights', async () => {
    const source = await openModel(model);
    expect(source.layout).toBe('diffusers');
    expect(source.className).toBe('StableDiffusionPipeline');
    expect([...source.components.keys()]).toEqual(
      expect.arrayContaining(['unet', 'vae', 'text_encoder', 'scheduler']),
    );
    const unet = await source.network('unet');
    expect(unet.className).toBe('UNet2DConditionModel');
    const weight = unet.weights.get('conv_in.weight');
    expect(weight.shape.slice(2)).toEqual([3, 3]);
    expect((await readWeight(weight)).shape).toEqual(weight.shape);
    expect(await source.config('scheduler')).toHaveProperty('num_train_timesteps');
  });

  it('opens a folder of one component by itself', async () => {
    const source = await openModel(join(model, 'vae'));
    expect(source.layout).toBe('component');
    expect(source.className).toBe('AutoencoderKL');
    expect((await source.network('vae')).weights.has('decoder.conv_in.weight')).toBe(true);
  });

  it('takes .fp16 files where there are no others, and links into a cache of blobs', async () => {
    await mkdir(join(root, 'blobs'));
    await rename(unetFile(), join(root, 'blobs', '0123'));
    await symlink('../../blobs/0123', join(model, 'unet', 'diffusion_pytorch_model.fp16.safetensors'));
    const { weights } = await (await openModel(model)).network('unet');
    expect(weights.get('conv_in.weight').file).toMatch(/blobs[/\\]0123$/);
  });

  it('reads shards, and refuses an index that lies', async () => {
    await rm(unetFile());
    const shard = (n: number) => `diffusion_pytorch_model-0000${n}-of-00002.safetensors`;
    await writeSafetensors(join(model, 'unet', shard(1)), { 'conv_in.weight': float32([2]) });
    await writeSafetensors(join(model, 'unet', shard(2)), { 'conv_in.bias': float32([1]) });
    const write = (weight_map: unknown) =>
      writeFile(
        join(model, 'unet', 'diffusion_pytorch_model.safetensors.index.json'),
        JSON.stringify({ metadata: { total_size: 12 }, weight_map }),
      );
    const open = async () => (await openModel(model)).network('unet');
    await write({ 'conv_in.weight': shard(1), 'conv_in.bias': shard(2) });
    expect((await open()).weights.names()).toEqual(['conv_in.weight', 'conv_in.bias']);

    await write({ 'conv_in.weight': shard(1), 'conv_in.bias': shard(1) });
    expect((await refusal(open())).message).toContain(`tensor "conv_in.bias" is not in ${shard(1)}`);
    for (const outside of ['../vae/diffusion_pytorch_model.safetensors', '/etc/passwd', 'a/b.safetensors']) {
      await write({ 'conv_in.weight': outside });
      expect((await refusal(open())).message).toContain('not the name of a file in this folder');
    }
    await write({ 'conv_in.weight': 'gone.safetensors' });
    expect((await refusal(open())).code).toBe('checkpoint_not_found');
    await write(7);
    expect((await refusal(open())).code).toBe('checkpoint_invalid');
  });

  it('refuses pickles with a sentence that says what to do', async () => {
    await rename(unetFile(), join(model, 'unet', 'diffusion_pytorch_model.bin'));
    const error = await refusal((await openModel(model)).network('unet'));
    expect(error.code).toBe('checkpoint_unsupported');
    expect(error.remedy).toContain('.safetensors');
    await writeFile(join(root, 'model.ckpt'), 'PK');
    expect((await refusal(openModel(join(root, 'model.ckpt')))).code).toBe('checkpoint_unsupported');
  });

  it('names the file that is missing or malformed', async () => {
    expect((await refusal(openModel(join(root, 'nowhere')))).code).toBe('checkpoint_not_found');
    expect((await refusal(openModel(root))).message).toContain('neither model_index.json nor config.json');
    expect((await refusal((await openModel(model)).network('transformer'))).message).toContain(
      'names no "transformer"',
    );
    await writeFile(join(model, 'unet', 'config.json'), '{"sample_size": ');
    const malformed = await refusal((await openModel(model)).network('unet'));
    expect(malformed.message).toMatch(/unet[/\\]config\.json is not JSON/);
    await rm(join(model, 'vae'), { recursive: true });
    expect((await refusal((await openModel(model)).network('vae'))).code).toBe('checkpoint_not_found');
    await writeFile(join(model, 'model_index.json'), '{"_class_name": "X", "../../etc": ["diffusers", "Y"]}');
    expect((await refusal(openModel(model))).message).toContain('cannot be the name of a folder');
  });
});

describe('weightsHash', () => {
  it('stays the same for a copy and changes with one trained weight', async () => {
    const hash = async () => weightsHash((await (await openModel(model)).network('unet')).files);
    const original = await weightsHash((await (await openModel(tinySd)).network('unet')).files);
    expect(original).toMatch(/^[0-9a-f]{16}$/);
    expect(await hash()).toBe(original);
    const bytes = await readFile(unetFile());
    bytes[bytes.length - 3]! ^= 1;
    await writeFile(unetFile(), bytes);
    // The file is small enough for its blocks to cover it.
    expect(await hash()).not.toBe(original);
  });
});
