import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { createRuntime } from '../../../lib/engine/runtime/runtime.ts';
import type { Runtime } from '../../../lib/engine/runtime/session.ts';
import { loadModel, type LoadedModel } from '../../../lib/engine/tasks/loaded-model.ts';
import { encodePrompts, weighted } from '../../../lib/engine/tasks/prompt.ts';
import { rows, reshaped } from '../../../lib/engine/tensor/arithmetic.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { expectForward } from '../../support/parity.ts';

// References: training/golden/prompts.py (weights, chunks, clip skip) and traces.py (plain prompts by diffusers).

type Float32 = Tensor<'float32'>;

const { cases } = JSON.parse(await readFile('test/golden/prompts/prompts.json', 'utf8')) as {
  cases: { model: string; case: string; text: string; clipSkip: number }[];
};
let runtime: Runtime;
let model: LoadedModel;
let expected: Map<string, Tensor>;

beforeAll(async () => {
  runtime = await createRuntime({ device: 'cpu' });
  model = await loadModel('test/golden/tiny-sd', (graph) => runtime.open(graph));
  expected = await readSafetensors('test/golden/prompts/states.safetensors');
});
afterAll(async () => {
  await model.release();
  await runtime.dispose();
});

describe('text states of weighted prompts', () => {
  test.each(['weights', 'negative-weight', 'break', 'skipped'])('%s', async (name) => {
    const { text, clipSkip } = cases.find((entry) => entry.model === 'tiny-sd' && entry.case === name)!;
    const { states } = await encodePrompts(model, [text], clipSkip);
    expectForward(states[0]!, expected.get(name)!, name);
  });

  test('a prompt without weights is what diffusers encodes', async () => {
    const reference = await readSafetensors('test/golden/tiny-sd/reference/traces.safetensors');
    const { states, tokens, notices } = await encodePrompts(model, [
      'a Fox in a meadow, riding a horse!',
      'blurry',
    ]);
    expectForward(states[0]!, rows(reference.get('prompt_embeds') as Float32, 0, 1), 'prompt');
    expectForward(
      states[1]!,
      rows(reference.get('negative_prompt_embeds') as Float32, 0, 1),
      'negative prompt',
    );
    expect(tokens[0]).toBeGreaterThan(8);
    expect(notices).toEqual([]);
  });
});

test('the shorter of two prompts is filled up with empty chunks, and a long one is told of', async () => {
  const long = 'a fox in a meadow, '.repeat(30);
  const { states, tokens, notices } = await encodePrompts(model, [long, 'blurry']);
  expect(states.map(({ shape }) => shape)).toEqual([states[0]!.shape, states[0]!.shape]);
  const [, length = 0, width = 0] = states[0]!.shape;
  expect(length).toBe(77 * Math.ceil(length / 77));
  expect(notices[0]).toBe(
    `The prompt has ${tokens[0]} tokens and was read in ${length / 77} parts of at most 75.`,
  );
  const alone = await encodePrompts(model, ['']);
  const tail = states[1]!.data.subarray((length - 77) * width);
  expectForward(reshaped(float32([1, 77, width], tail), [1, 77, width]), alone.states[0]!, 'empty chunk');
});

test('weights that leave no number are refused', () => {
  const states = float32([1, 2, 1], Float32Array.of(1, -1));
  expect(() => weighted(states, [1, 1e39])).toThrow(expect.objectContaining({ code: 'invalid_parameter' }));
});
