import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { receiptSchema } from '../../../lib/contracts/generation.ts';
import { readSafetensors, writeSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { createRuntime } from '../../../lib/engine/runtime/runtime.ts';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import { loadModel } from '../../../lib/engine/tasks/loaded-model.ts';
import { encodePrompts } from '../../../lib/engine/tasks/prompt.ts';
import type { GenerateInput } from '../../../lib/engine/tasks/task.ts';
import { openEmbedding } from '../../../lib/engine/checkpoint/embedding.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { difference, expectForward, expectTrajectory } from '../../support/parity.ts';

type Float32 = Tensor<'float32'>;

const golden = 'test/golden/lora';
const file = (name: string) => join(golden, `${name}.safetensors`);
interface Reference {
  prompt: string;
  negativePrompt: string;
  embedded: string;
  steps: number;
  guidance: number;
  cases: { case: string; loras: { name: string; weight: number }[] }[];
}
const reference = JSON.parse(await readFile(join(golden, 'reference.json'), 'utf8')) as Reference;

let engine: Engine;
let scratch: string;
let tensors: Map<string, Tensor>;
let request: GenerateInput;
const expected = (name: string) => tensors.get(name) as Float32;

beforeAll(async () => {
  engine = new Engine({ device: 'cpu' });
  scratch = await mkdtemp(join(tmpdir(), 'encore-adapters-'));
  tensors = await readSafetensors(file('reference'));
  request = {
    task: 'text-to-image',
    model: 'test/golden/tiny-sd',
    prompt: reference.prompt,
    negativePrompt: reference.negativePrompt,
    width: 64,
    height: 32,
    steps: reference.steps,
    guidanceScale: reference.guidance,
    seed: 0,
    count: 1,
    plan: 'exact',
    injection: 0,
    decodeWidth: 'auto',
    latents: expected('latents'),
  };
});
afterAll(async () => {
  await engine.dispose();
  await rm(scratch, { recursive: true });
});

const loras = (...names: (readonly [string, number])[]) =>
  names.map(([name, weight]) => ({ file: file(name), weight }));

describe('against diffusers, which adds adapters beside the weights', () => {
  test.each(reference.cases)('$case', async ({ case: name, loras: wanted }) => {
    const given = loras(...wanted.map((each) => [each.name, each.weight] as const));
    const { latents, receipt } = await engine.generate({ ...request, loras: given });
    expectTrajectory(latents, expected(`${name}.latents`), name);
    expect(receipt.loras?.map(({ unmatched }) => unmatched)).toEqual(given.map(() => 0));
    expect(receiptSchema.parse(receipt)).toEqual(receipt);
    // What an adapter changes is far above what may differ.
    expect(difference(latents, expected('none.latents')).max).toBeGreaterThan(0.05);
  });

  test('with encoder propagation, serial and parallel', async () => {
    const plan = { keySteps: [0, 1, 3, 7] };
    const long = { ...request, loras: loras(['kohya', 1]), steps: 12, plan, injection: 0.1 };
    const serial = await engine.generate({ ...long, decodeWidth: 1 });
    const parallel = await engine.generate({ ...long, decodeWidth: 4 });
    expect(parallel.receipt.decodeWidth).toBe(4);
    expectTrajectory(serial.latents, expected('propagated.latents'), 'serial');
    expectTrajectory(parallel.latents, serial.latents, 'parallel');
  });
});

describe('weights', () => {
  test('zero gives the bytes of the model without, and is still checked and reported', async () => {
    const none = await engine.generate(request);
    expectTrajectory(none.latents, expected('none.latents'), 'none');
    expect(none.receipt.loras).toBeUndefined();
    const zero = await engine.generate({ ...request, loras: loras(['kohya', 0], ['lycoris', 0]) });
    expect(zero.latents.data).toEqual(none.latents.data);
    expect(zero.pictures[0]!.data).toEqual(none.pictures[0]!.data);
    expect(zero.receipt.loras).toMatchObject([
      { name: 'kohya', weight: 0, matched: 39 },
      { name: 'lycoris' },
    ]);
    const after = await engine.generate({ ...request, loras: loras(['kohya', 1]) });
    expect(difference(after.latents, none.latents).max).toBeGreaterThan(0.05);
  });

  test('negative turns it round: a small step back is a small step forth', async () => {
    const [back, none, forth] = [
      await engine.generate({ ...request, loras: loras(['diffusers', -0.01]) }),
      await engine.generate(request),
      await engine.generate({ ...request, loras: loras(['diffusers', 0.01]) }),
    ];
    const mean = back.latents.data.map((value, i) => (value + forth.latents.data[i]!) / 2);
    const bend = difference(float32(none.latents.shape, mean), none.latents).max;
    const step = difference(forth.latents, none.latents).max;
    expect(step).toBeGreaterThan(1e-3);
    expect(bend).toBeLessThan(0.05 * step);
  });

  test('the order of several does not matter', async () => {
    const one = await engine.generate({ ...request, loras: loras(['kohya', 0.5], ['dora', 0.7]) });
    const other = await engine.generate({ ...request, loras: loras(['dora', 0.7], ['kohya', 0.5]) });
    expectTrajectory(one.latents, other.latents, 'order');
  });
});

test('tensors that have no place are counted, named and left out', async () => {
  const extended = join(scratch, 'extended.safetensors');
  const read = Object.fromEntries(await readSafetensors(file('kohya')));
  const strange = float32([2, 4], new Float32Array(8).fill(1));
  await writeSafetensors(extended, {
    ...read,
    'lora_unet_down_blocks_9_attentions_0_proj_in.lora_down.weight': strange,
    'bundle_emb.word.string_to_param.*': strange,
  });
  const { latents, receipt } = await engine.generate({
    ...request,
    loras: [{ file: extended, weight: 1 }],
  });
  expectTrajectory(latents, expected('kohya.latents'), 'extended');
  expect(receipt.loras).toMatchObject([{ name: 'extended', matched: 39, unmatched: 2 }]);
  expect(receipt.notices.join()).toMatch(/2 of 41 tensors of the LoRA "extended".*bundle_emb/);
});

test('a packed cache keeps a model with an adapter beside the one without', async () => {
  const cached = new Engine({
    device: 'cpu',
    cache: { directory: join(scratch, 'packed'), budgetBytes: 1e9 },
  });
  try {
    const model = 'test/golden/tiny-toy';
    const path = join(scratch, 'toy.safetensors');
    const flat = 'lora_unet_up_blocks_1_resnets_0_conv1';
    const down = (shape: number[]) =>
      float32(
        shape,
        new Float32Array(shape.reduce((a, b) => a * b)).map((_, i) => Math.sin(i)),
      );
    const { shape } = (await readSafetensors(`${model}/unet/diffusion_pytorch_model.safetensors`)).get(
      'up_blocks.1.resnets.0.conv1.weight',
    )!;
    const [out = 0, ...rest] = shape;
    await writeSafetensors(path, {
      [`${flat}.lora_down.weight`]: down([2, ...rest]),
      [`${flat}.lora_up.weight`]: down([out, 2, 1, 1]),
    });
    const input = { ...request, model, latents: undefined, width: 64, height: 64 };
    const plain = await cached.generate(input);
    const changed = await cached.generate({ ...input, loras: [{ file: path, weight: 0.1 }] });
    const again = await cached.generate({ ...input, loras: [{ file: path, weight: 0.1 }] });
    const without = await cached.generate(input);
    const direct = await engine.generate({ ...input, loras: [{ file: path, weight: 0.1 }] });
    expect(without.latents.data).toEqual(plain.latents.data);
    expect(again.latents.data).toEqual(changed.latents.data);
    expectTrajectory(changed.latents, direct.latents, 'packed against folded in memory');
    expect(difference(changed.latents, plain.latents).max).toBeGreaterThan(0.01);
  } finally {
    await cached.dispose();
  }
});

describe('textual inversion', () => {
  const embeddings = [file('night-sky'), file('cat')];

  test('against diffusers: several vectors, a token of diffusers, any case', async () => {
    const { latents, receipt } = await engine.generate({
      ...request,
      prompt: reference.embedded,
      embeddings,
    });
    expectTrajectory(latents, expected('embedded.latents'), 'embedded');
    expect(receipt.embeddings).toMatchObject([
      { name: 'night-sky', vectors: 3 },
      { name: 'cat', vectors: 1 },
    ]);
    expect(receiptSchema.parse(receipt)).toEqual(receipt);
  });

  test('text states, and a count of tokens that has every vector', async () => {
    const runtime = await createRuntime({ device: 'cpu', threads: 1 });
    const model = await loadModel(request.model, (graph) => runtime.open(graph));
    const opened = await Promise.all(embeddings.map(openEmbedding));
    const { states, tokens } = await encodePrompts(model, [reference.embedded], 0, opened);
    const [, , width = 0] = states[0]!.shape;
    const first = float32([1, 20, width], states[0]!.data.slice(0, 20 * width));
    expectForward(first, expected('embedded.states'), 'states');
    const plain = await encodePrompts(model, [
      reference.embedded.replace('(<toy-cat>:1.0)', '').replaceAll(/night-sky/gi, ''),
    ]);
    expect(tokens[0]).toBe(plain.tokens[0]! + 3 + 1 + 3);
    await model.release();
    await runtime.dispose();
  });

  test('those that no prompt calls are left alone, whatever they are', async () => {
    const wide = join(scratch, 'wide.safetensors');
    await writeSafetensors(wide, { emb_params: float32([2, 1024]) });
    const given = [...embeddings, wide, join(scratch, 'gone.safetensors')];
    const { latents, receipt } = await engine.generate({ ...request, embeddings: given });
    expectTrajectory(latents, expected('none.latents'), 'none');
    expect(receipt.embeddings).toBeUndefined();
    await expect(
      engine.generate({ ...request, prompt: 'a WIDE fox', embeddings: given }),
    ).rejects.toMatchObject({
      code: 'checkpoint_unsupported',
      message: expect.stringMatching(
        /"wide".*1024 numbers, as Stable Diffusion 2.x.*tiny-sd reads 32/,
      ) as string,
    });
    await expect(engine.generate({ ...request, prompt: 'gone', embeddings: given })).rejects.toMatchObject({
      code: 'checkpoint_not_found',
    });
    const widely = await engine.generate({ ...request, prompt: 'widely', embeddings: given });
    expect(widely.receipt.embeddings).toBeUndefined();
  });
});
