/**
 * The real engine process draws what the engine draws by itself, whatever it drew before and whatever happened to the
 * files meanwhile: nothing of one job may be left in the next.
 */
import { cp, mkdtemp, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GenerationParams,
  generationParamsSchema,
  withoutReferences,
} from '../../lib/contracts/generation.ts';
import { readSafetensors, writeSafetensors } from '../../lib/engine/checkpoint/safetensors.ts';
import { Engine } from '../../lib/engine/tasks/engine.ts';
import type { Picture, Progress } from '../../lib/engine/tasks/task.ts';
import { EngineProcess } from '../../workers/engine-process.ts';
import type { EngineInputs, EngineJob } from '../../workers/protocol.ts';
import { writeLora } from '../e2e/support/lora.ts';
import { writeMotionAdapter } from '../support/motion.ts';

/** Less than one job needs: sessions are given back between jobs, and a video is drawn in parts. */
const MEMORY = 60e6;
const side = 128;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

let scratch: string;
let worker: EngineProcess;
const at = (...parts: string[]) => join(scratch, ...parts);
const unet = () => at('toybox', 'unet', 'diffusion_pytorch_model.safetensors');

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'encore-drawings-'));
  for (const name of ['toybox', 'toybox-scribble'])
    await cp(join('models', name), at(name), { recursive: true });
  await cp('test/golden/tiny-sd', at('tiny-sd'), { recursive: true });
  await writeLora(scratch);
  await writeMotionAdapter(at('motion'));
  worker = new EngineProcess({
    entry: new URL('../../workers/engine.ts', import.meta.url),
    args: ['--device', 'cpu', '--cache', at('cache'), '--memory', String(MEMORY)],
    log: quiet,
  });
});
afterAll(async () => {
  await worker.stop();
  await rm(scratch, { recursive: true });
});

/** Bands of colour with a bright square: something to start from, and something to follow. */
function picture(width = side, height = side): Picture {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const inside = Math.abs(x - width / 2) < width / 4 && Math.abs(y - height / 2) < height / 4;
    data.set(inside ? [240, 240, 240] : [y, 80, 200 - x], 3 * i);
  }
  return { width, height, data };
}

interface Asked {
  model?: string;
  params?: Partial<GenerationParams>;
  inputs?: Partial<EngineInputs>;
}

const control = () => [{ model: at('toybox-scribble'), image: picture(), scale: 1, start: 0, end: 1 }];
const video = { frames: 4, fps: 4, motion: { x: 12, y: 12 }, format: 'mp4' } as const;

const kinds = {
  picture: () => ({}),
  video: () => ({ params: { task: 'text-to-video', video } }),
  'video of another size': () => ({
    params: { task: 'text-to-video', video: { ...video, frames: 5 } },
    inputs: { width: 160, height: 96 },
  }),
  'ControlNet picture': () => ({ params: { task: 'reference' }, inputs: { control: control() } }),
  'ControlNet video': () => ({ params: { task: 'text-to-video', video }, inputs: { control: control() } }),
  'picture from a picture': () => ({
    params: { task: 'image-to-image', strength: 0.6 },
    inputs: { image: picture() },
  }),
  'LoRA picture': () => ({ inputs: { loras: [{ file: at('waves.safetensors'), weight: 1 }] } }),
  'LoRA video': () => ({
    params: { task: 'text-to-video', video },
    inputs: { loras: [{ file: at('waves.safetensors'), weight: 1 }] },
  }),
  AnimateDiff: () => ({
    model: 'tiny-sd',
    params: { task: 'text-to-video', video },
    inputs: { width: 64, height: 64, motionAdapter: at('motion') },
  }),
} satisfies Record<string, () => Asked>;
type Kind = keyof typeof kinds;

let runs = 0;
function jobOf(kind: Kind): EngineJob {
  const { model = 'toybox', params = {}, inputs = {} } = kinds[kind]() as Asked;
  const { width = side, height = side } = inputs;
  return {
    runId: String(runs++),
    folder: at(model),
    params: generationParamsSchema.parse({
      ...{ task: 'text-to-image', prompt: 'a fox in a meadow', negativePrompt: '', model },
      ...{ width, height, steps: 12, guidanceScale: 4, seed: 7, count: 1 },
      ...{ scheduler: 'ddim', plan: 'faster', injection: 0, ...params },
    }),
    inputs: { width, height, ...inputs },
    decodeWidth: 'auto',
  };
}

async function drawn(kind: Kind, hooks: { signal?: AbortSignal; onProgress?: (p: Progress) => void } = {}) {
  const { pictures } = await worker.run(jobOf(kind), {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onPreview: () => undefined,
    ...hooks,
  });
  return pictures;
}

const alone = new Map<string, readonly Picture[]>();

/** The same by an engine of this process that has drawn nothing before. `weights` names what lies in the model's folder. */
async function expected(kind: Kind, weights = 'first'): Promise<readonly Picture[]> {
  const known = alone.get(`${kind} ${weights}`);
  if (known !== undefined) return known;
  const { params, inputs, folder, decodeWidth } = jobOf(kind);
  const cache = { directory: at(`cache-${alone.size}`), budgetBytes: 1e9 };
  const engine = new Engine({ device: 'cpu', memoryBudgetBytes: MEMORY, cache });
  const input = { ...withoutReferences(params), ...inputs, model: folder, decodeWidth };
  const { pictures } = await engine.generate(input).finally(() => engine.dispose());
  alone.set(`${kind} ${weights}`, pictures);
  return pictures;
}

async function expectDrawn(kind: Kind, weights?: string): Promise<void> {
  const [made, wanted] = [await drawn(kind), await expected(kind, weights)];
  expect(made.length, kind).toBe(wanted.length);
  made.forEach((each, i) => {
    const frame = `${kind}, frame ${i}`;
    expect([each.width, each.height], frame).toEqual([wanted[i]!.width, wanted[i]!.height]);
    expect(Buffer.compare(each.data, wanted[i]!.data), frame).toBe(0);
  });
}

/** Cancelled in the middle of its steps. */
async function cancelled(kind: Kind): Promise<void> {
  const cancel = new AbortController();
  const onProgress = ({ step }: Progress) => {
    if (step >= 3) cancel.abort();
  };
  await expect(drawn(kind, { signal: cancel.signal, onProgress })).rejects.toMatchObject({
    code: 'cancelled',
  });
}

describe('one after the other', () => {
  const before: Kind[] = ['picture', 'ControlNet picture', 'picture from a picture', 'LoRA picture'];
  test.each([...before, 'video of another size', 'ControlNet video', 'LoRA video', 'AnimateDiff'] as const)(
    'a video after: %s',
    async (kind) => {
      await expectDrawn('video');
      await expectDrawn(kind);
      await expectDrawn('video');
    },
  );

  test.each(['video', 'ControlNet video', 'LoRA picture', 'AnimateDiff'] as const)(
    'a video after a cancelled: %s',
    async (kind) => {
      await cancelled(kind);
      await expectDrawn('video');
      await expectDrawn(kind);
    },
  );
});

describe('weights that are replaced on disk', () => {
  /** The UNet with half of its last convolution silent. */
  async function otherWeights(): Promise<string> {
    const tensors = Object.fromEntries(await readSafetensors(unet()));
    const last = tensors['conv_out.weight']!;
    const data = last.data.slice().fill(0 as never, 0, last.data.length / 2);
    const path = at('other.safetensors');
    await writeSafetensors(path, { ...tensors, 'conv_out.weight': { ...last, data } });
    return path;
  }

  test('between jobs, by another file and in place: the next job draws with what is there then', async () => {
    await expectDrawn('video');
    const first = await readFile(unet());
    const { mtime, atime } = await stat(unet());

    await rename(await otherWeights(), unet());
    await expectDrawn('video', 'other');
    expect(
      Buffer.compare((await expected('video'))[0]!.data, (await expected('video', 'other'))[0]!.data),
    ).not.toBe(0);

    // In place, and with its old time: as `cp --preserve` puts a copy back.
    await writeFile(unet(), first);
    await utimes(unet(), atime, mtime);
    await expectDrawn('video');
  }, 240_000);

  test('during a job: it says so instead of mixing them, and the next is right', async () => {
    const other = await otherWeights();
    let replaced: Promise<void> | undefined;
    const onProgress = ({ step }: Progress) => {
      if (step >= 2) replaced ??= rename(other, unet());
    };
    await expect(drawn('video', { onProgress })).rejects.toMatchObject({
      code: 'checkpoint_invalid',
      retryable: true,
      message: expect.stringContaining('changed on disk') as string,
    });
    await replaced;
    await sleep(10);
    await expectDrawn('video', 'other');
  }, 240_000);

  test('taken away during a job: what is open already is enough, and its picture is kept', async () => {
    await expectDrawn('LoRA picture', 'other');
    const moved = new Map([
      [at('toybox'), at('toybox-away')],
      [at('waves.safetensors'), at('waves-away')],
    ]);
    let gone: Promise<unknown> | undefined;
    const onProgress = ({ step }: Progress) => {
      if (step >= 2) gone ??= Promise.all([...moved].map(([from, to]) => rename(from, to)));
    };
    const made = await drawn('LoRA picture', { onProgress });
    expect(gone).toBeDefined();
    expect(Buffer.compare(made[0]!.data, (await expected('LoRA picture', 'other'))[0]!.data)).toBe(0);
    // Not drawn with from memory ever after.
    await expect(drawn('LoRA picture')).rejects.toMatchObject({ code: 'checkpoint_not_found' });

    await Promise.all([...moved].map(([from, to]) => rename(to, from)));
    await expectDrawn('LoRA picture', 'other');
  }, 240_000);

  test('words it did not know before: the tokenizer counts as well', async () => {
    const before = await drawn('picture');
    const vocabulary = at('toybox', 'tokenizer', 'vocab.json');
    const words = JSON.parse(await readFile(vocabulary, 'utf8')) as Record<string, number>;
    const [fox, cat] = ['fox</w>', 'cat</w>'].map((word) => words[word]!);
    expect([fox, cat].every((id) => typeof id === 'number')).toBe(true);
    await writeFile(vocabulary, JSON.stringify({ ...words, 'fox</w>': cat, 'cat</w>': fox }));
    const after = await drawn('picture');
    expect(Buffer.compare(before[0]!.data, after[0]!.data)).not.toBe(0);
  });
});
