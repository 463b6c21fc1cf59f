import { describe, expect, it } from 'vitest';
import { openModel } from '../../../../lib/engine/checkpoint/model-source.ts';
import { weightMap } from '../../../../lib/engine/checkpoint/weight-map.ts';
import { type WeightSource } from '../../../../lib/engine/checkpoint/weight-source.ts';
import { buildClipText } from '../../../../lib/engine/networks/clip/build.ts';
import { parseClipTextConfig } from '../../../../lib/engine/networks/clip/config.ts';
import { ClipTextEncoder } from '../../../../lib/engine/networks/clip/text-encoder.ts';
import { print } from '../../../../lib/engine/onnx/print.ts';
import { testRuntime } from '../../support/graphs.ts';

async function textEncoder(overrides: Record<string, unknown> = {}, rename?: (name: string) => string) {
  const { config, weights } = await (await openModel('test/golden/tiny-sd')).network('text_encoder');
  const runtime = await testRuntime();
  const parsed = parseClipTextConfig({ ...config, ...overrides });
  return new ClipTextEncoder(parsed, rename ? renamed(weights, rename) : weights, (graph) =>
    runtime.open(graph),
  );
}

function renamed(weights: WeightSource, rename: (name: string) => string): WeightSource {
  return weightMap('renamed', new Map(weights.names().map((name) => [rename(name), weights.get(name)])));
}

const row = (data: Float32Array, index: number, width: number) =>
  Array.from(data.slice(index * width, (index + 1) * width));

describe('ClipTextEncoder', () => {
  it('pools at the highest id where the config says eos 2, at the first end token otherwise', async () => {
    const ids = [[692, 5, 300, 693, 7, 693]];
    const width = 32;
    for (const [eos, position] of [
      [2, 3],
      [693, 3],
      [300, 2],
    ] as const) {
      const encoder = await textEncoder({ eos_token_id: eos });
      const { lastHiddenState, pooled } = await encoder.encode(ids);
      expect(Array.from(pooled.data)).toEqual(row(lastHiddenState.data, position, width));
      await encoder.dispose();
    }
  });

  it('reads names with and without the text_model prefix', async () => {
    const [as, other] = [
      await textEncoder({}, (name) => `text_model.${name.replace(/^text_model\./, '')}`),
      await textEncoder({}, (name) => name.replace(/^text_model\./, '')),
    ];
    const ids = [[692, 5, 693]];
    expect((await other.encode(ids)).pooled.data).toEqual((await as.encode(ids)).pooled.data);
    await as.dispose();
    await other.dispose();
  });

  it('leaves out layers at the end for clip skip, and keeps the final norm', async () => {
    const { config, weights } = await (await openModel('test/golden/tiny-sd')).network('text_encoder');
    const graph = buildClipText(parseClipTextConfig(config), { rows: 1, tokens: 5, clipSkip: 1, weights });
    expect(print(graph)).not.toContain('encoder.layers.2');
    expect(print(graph)).toContain('final_layer_norm');
    expect(() =>
      buildClipText(parseClipTextConfig(config), { rows: 1, tokens: 5, clipSkip: 3, weights }),
    ).toThrow('clip skip 3 leaves none of 3 layers');
  });

  it.each<[string, number[][], string]>([
    ['ids outside the vocabulary', [[692, 694]], 'token 694 is not in the vocabulary of 694'],
    ['rows of different lengths', [[1, 2], [1]], 'token rows must have one length, got 2, 1'],
    ['no tokens', [[]], 'token rows must have one length, got 0'],
    [
      'too many tokens',
      [Array.from({ length: 78 }, () => 1)],
      '78 tokens for 77 positions of the text encoder',
    ],
  ])('refuses %s', async (_, ids, message) => {
    const encoder = await textEncoder();
    await expect(encoder.encode(ids)).rejects.toMatchObject({ code: 'invalid_parameter', message });
    await encoder.dispose();
  });
});
