import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { receiptSchema } from '../../lib/contracts/generation.ts';
import { readSafetensors } from '../../lib/engine/checkpoint/safetensors.ts';
import { readPicture } from '../../lib/media/read-picture.ts';
import type { Tensor } from '../../lib/engine/tensor/tensor.ts';
import { encore, scratch, useCommandLine } from '../support/cli.ts';
import { expectTrajectory } from '../support/parity.ts';

useCommandLine();
let parseLora: (text: string) => { file: string; weight: number };

beforeAll(async () => {
  // Reads the environment too.
  ({ parseLora } = await import('../../lib/cli/generate/adapters.ts'));
});

const tiny = 'test/golden/tiny-sd';
const golden = (name: string) => `test/golden/lora/${name}.safetensors`;

test.each([
  ['style.safetensors', 'style.safetensors', 1],
  ['style.safetensors:0.8', 'style.safetensors', 0.8],
  ['a/b c.safetensors:-1', 'a/b c.safetensors', -1],
  ['style.safetensors:.5', 'style.safetensors', 0.5],
  ['C:\\loras\\style.safetensors', 'C:\\loras\\style.safetensors', 1],
  ['C:\\loras\\style.safetensors:0', 'C:\\loras\\style.safetensors', 0],
  ['D:1', 'D:1', 1],
  ['style:v2.safetensors', 'style:v2.safetensors', 1],
])('--lora %s', (text, file, weight) => {
  expect(parseLora(text)).toEqual({ file, weight });
});

describe('encore generate', () => {
  test('draws with LoRAs and an embedding, and the picture says with which', async () => {
    const reference = JSON.parse(await readFile('test/golden/lora/reference.json', 'utf8')) as {
      prompt: string;
      negativePrompt: string;
    };
    // By its name, from where the studio keeps them.
    const shelf = join(scratch, 'home', 'models', 'embeddings');
    await mkdir(shelf, { recursive: true });
    await copyFile(golden('night-sky'), join(shelf, 'night-sky.safetensors'));
    const [out, dump] = [join(scratch, 'fox.png'), join(scratch, 'fox.safetensors')];
    const { code, stdout, stderr } = await encore(
      ...['generate', '--device', 'cpu', '--model', tiny, '--latents', golden('reference')],
      ...['--prompt', reference.prompt, '--negative', reference.negativePrompt],
      ...['--steps', '6', '--guidance', '5', '--plan', 'exact', '--injection', 'off'],
      ...['--lora', `${golden('kohya')}:0.6`, '--lora', `${golden('diffusers')}:-0.4`],
      ...['--embedding', 'night-sky', '--out', out, '--dump-latents', dump, '--json'],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/"night-sky" is not used/);
    const expected = (await readSafetensors(golden('reference'))).get('kohya+diffusers.latents')!;
    const { latents } = Object.fromEntries(await readSafetensors(dump));
    expectTrajectory(latents as Tensor, expected, 'latents');
    const receipt: unknown = JSON.parse(stdout);
    expect(receiptSchema.parse(receipt).loras).toMatchObject([
      { name: 'kohya', weight: 0.6, matched: 39, unmatched: 0 },
      { name: 'diffusers', weight: -0.4 },
    ]);
    const { params, raw } = await readPicture(await readFile(out));
    expect(params.prompt).toBe(reference.prompt);
    expect(raw['parameters']).toMatch(/riding a horse! <lora:kohya:0\.6> <lora:diffusers:-0\.4>\n/);
    expect(raw['parameters']).toMatch(/Lora hashes: "kohya: [0-9a-f]{12}, diffusers: [0-9a-f]{12}"/);
  });

  test.each([
    [['--lora', 'nowhere.safetensors'], 'unknown_model'],
    [['--lora', golden('cat')], 'checkpoint_unsupported'],
    [['--lora', `${golden('kohya')}:9`], 'invalid_parameter'],
    [['--embedding', golden('kohya')], 'checkpoint_unsupported'],
    [['--embedding', 'models/toybox/README.md'], 'checkpoint_invalid'],
  ])('%j is refused as %s', async (options, code) => {
    const small = ['--model', tiny, '--width', '64', '--height', '64', '--prompt', 'a fox', '--steps', '1'];
    const out = join(scratch, 'refused.png');
    const ran = await encore('generate', '--device', 'cpu', ...small, '--out', out, ...options);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(`encore: ${code}: `);
    await expect(readFile(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('encore inspect', () => {
  test('a LoRA, over a model', async () => {
    const { code, stdout } = await encore('inspect', golden('kohya'), '--model', tiny);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^LoRA \(kohya\)/);
    expect(stdout).toContain('13 layers, rank 2, alpha 1, 2, 3, 4');
    expect(stdout).toContain('39 tensors matched, 0 unmatched');
    expect(stdout).toContain('called by fox, meadow');
  });

  test('one that does not fit says why, and ends with 2', async () => {
    const ran = await encore('inspect', golden('kohya'), '--model', 'models/toybox', '--json');
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      kind: 'lora',
      matched: null,
      problem: { code: 'checkpoint_unsupported' },
    });
  });

  test('an embedding, under its file’s name', async () => {
    const path = join(scratch, 'evening.safetensors');
    await copyFile(golden('night-sky'), path);
    const { code, stdout } = await encore('inspect', path, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'embedding',
      dialect: 'a1111',
      rank: 3,
      triggers: ['evening'],
    });
  });

  test('--model is for adapters', async () => {
    const { code, stderr } = await encore('inspect', tiny, '--model', tiny);
    expect(code).toBe(2);
    expect(stderr).toContain('is no LoRA and no embedding');
  });
});
