import { describe, expect, it } from 'vitest';
import { openModel } from '../../../../lib/engine/checkpoint/model-source.ts';
import { weightMap } from '../../../../lib/engine/checkpoint/weight-map.ts';
import { Autoencoder, buildDecoder } from '../../../../lib/engine/networks/vae/autoencoder.ts';
import { parseAutoencoderConfig } from '../../../../lib/engine/networks/vae/config.ts';
import { float32 } from '../../../../lib/engine/tensor/tensor.ts';
import { difference } from '../../../support/parity.ts';
import { random, runGraph, testRuntime } from '../../support/graphs.ts';

async function autoencoder(model: string, rename: (name: string) => string = (name) => name) {
  const { className, config, weights } = await (await openModel(`test/golden/${model}`)).network('vae');
  const renamed = weightMap(model, new Map(weights.names().map((name) => [rename(name), weights.get(name)])));
  const runtime = await testRuntime();
  return new Autoencoder(parseAutoencoderConfig(className, config), renamed, (graph) => runtime.open(graph));
}

describe('Autoencoder', () => {
  it('reads the names that attention had before diffusers 0.17', async () => {
    const names = { to_q: 'query', to_k: 'key', to_v: 'value', 'to_out.0': 'proj_attn' };
    const old = (name: string) =>
      Object.entries(names).reduce(
        (text, [now, then]) => text.replace(`attentions.0.${now}.`, `attentions.0.${then}.`),
        name,
      );
    const [now, then] = [await autoencoder('tiny-sd'), await autoencoder('tiny-sd', old)];
    const latents = random([1, 4, 6, 5]);
    expect((await then.decode(latents)).data).toEqual((await now.decode(latents)).data);
    await now.dispose();
    await then.dispose();
  });

  it('decodes each picture of a batch as it would alone', async () => {
    const vae = await autoencoder('tiny-toy');
    const latents = random([2, 8, 4, 6]);
    const both = await vae.decode(latents);
    expect(both.shape).toEqual([2, 3, 32, 48]);
    const half = latents.data.length / 2;
    const alone = await vae.decode(float32([1, 8, 4, 6], latents.data.slice(half)));
    expect(both.data.slice(both.data.length / 2)).toEqual(alone.data);
    await vae.dispose();
  });

  it('gives mean and variance where it is variational, and a mean alone otherwise', async () => {
    for (const [model, channels, variational] of [
      ['tiny-sd', 4, true],
      ['tiny-toy', 8, false],
    ] as const) {
      const vae = await autoencoder(model);
      const { scale } = vae.config;
      const { mean, logVariance } = await vae.encode(random([2, 3, 3 * scale, 2 * scale]));
      expect(mean.shape).toEqual([2, channels, 3, 2]);
      expect(logVariance?.shape).toEqual(variational ? mean.shape : undefined);
      await vae.dispose();
    }
  });

  it('decodes a large picture in tiles without a seam', async () => {
    const vae = await autoencoder('tiny-toy');
    const latents = random([1, 8, 100, 96]);
    const tiled = await vae.decode(latents);
    expect(tiled.shape).toEqual([1, 3, 800, 768]);
    // A convolutional decoder sees as far as its kernels reach: inside the overlap tiles agree with the whole.
    const { weights } = await (await openModel('test/golden/tiny-toy')).network('vae');
    const graph = buildDecoder(vae.config, { batch: 1, height: 100, width: 96, weights });
    const { sample } = await runGraph(graph, { sample: latents });
    expect(difference(tiled, sample!).rms).toBeLessThan(1e-2);
    await vae.dispose();
  });

  it.each<[string, number[], string]>([
    ['channels', [1, 4, 4, 4], 'the autoencoder reads [B, 8, h, w], got [1, 4, 4, 4]'],
    ['rank', [8, 4, 4], 'the autoencoder reads [B, 8, h, w], got [8, 4, 4]'],
  ])('refuses latents of other %s', async (_, shape, message) => {
    const vae = await autoencoder('tiny-toy');
    await expect(vae.decode(random(shape))).rejects.toMatchObject({ code: 'invalid_tensor', message });
    await vae.dispose();
  });

  it('refuses pixels that do not divide into latents', async () => {
    const vae = await autoencoder('tiny-toy');
    await expect(vae.encode(random([1, 3, 20, 32]))).rejects.toMatchObject({
      code: 'invalid_tensor',
      message: 'the autoencoder reads multiples of 8 pixels, got 32x20',
    });
    await vae.dispose();
  });

  it('names what it does not support', () => {
    expect(() => parseAutoencoderConfig('VQModel', {})).toThrow('there is no autoencoder VQModel here');
    expect(() => parseAutoencoderConfig('AutoencoderKL', { act_fn: 'x' })).toThrow(
      'AutoencoderKL: config.act_fn',
    );
  });
});
