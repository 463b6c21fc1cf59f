import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../lib/engine/checkpoint/safetensors.ts';
import type { Tensor } from '../../lib/engine/tensor/tensor.ts';
import { readPicture } from '../../lib/media/read-picture.ts';
import { encore, scratch, useCommandLine, type CliOutcome } from '../support/cli.ts';
import { expectTrajectory } from '../support/parity.ts';

type Float32 = Tensor<'float32'>;

const tiny = 'test/golden/tiny-sd';
const golden = JSON.parse(await readFile(join(tiny, 'reference/modes.json'), 'utf8')) as {
  prompt: string;
  negativePrompt: string;
  steps: number;
  guidance: number;
  seed: number;
  width: number;
  height: number;
};
const [width, height] = [2 * golden.width, 3 * golden.height];
useCommandLine();
let tensors: Map<string, Tensor>;
const at = (name: string) => join(scratch, name);

beforeAll(async () => {
  tensors = await readSafetensors(join(tiny, 'reference/modes.safetensors'));
  await writeFile(at('image.png'), await tiledPng('image', 3));
  await writeFile(at('mask.png'), await tiledPng('mask', 1));
  const black = { create: { width, height, channels: 3, background: 'black' } } as const;
  await writeFile(at('empty.png'), await sharp(black).png().toBuffer());
  await writeFile(at('words.png'), 'no picture');
});

/** A reference [1, C, h, w] as a file, repeated three times down and twice across: 64 pixels are the least that is drawn. */
function tiledPng(name: string, channels: 1 | 3): Promise<Buffer> {
  const [, , h, w] = tensors.get(name)!.shape as [number, number, number, number];
  const planes = tensors.get(name)!.data as Uint8Array;
  const data = Uint8Array.from({ length: channels * width * height }, (_, i) => {
    const [channel, pixel] = [i % channels, Math.floor(i / channels)];
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    return planes[channel * h * w + (y % h) * w + (x % w)]!;
  });
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}

/** Runs `encore generate` on tiny-sd, with what it wrote. */
function generate(...args: string[]): Promise<CliOutcome> {
  const base = ['--model', tiny, '--device', 'cpu', '--prompt', golden.prompt, '--out', at('out.png')];
  return encore('generate', ...base, ...args);
}

const exact = [
  ...['--negative', golden.negativePrompt, '--steps', String(golden.steps), '--plan', 'exact'],
  ...['--guidance', String(golden.guidance), '--seed', String(golden.seed), '--noise', 'torch-cpu'],
];

test.each([
  ['image-to-image', ['--strength', '0.7'], 14],
  ['inpaint', ['--strength', '0.7', '--mask', 'mask.png'], 14],
])('%s from files to dumped latents: diffusers’ own, to rounding', async (name, args, evaluated) => {
  const paths = args.map((arg) => (arg.endsWith('.png') ? at(arg) : arg));
  const dump = at(`${name}.safetensors`);
  const { code, stdout, stderr } = await generate(
    ...exact,
    ...['--image', at('image.png'), ...paths, '--dump-latents', dump, '--json'],
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ decoderRuns: evaluated, injection: 0, width, height });
  const latents = (await readSafetensors(dump)).get('latents') as Float32;
  expectTrajectory(latents, tensors.get(`${name}-tiled.latents`) as Float32, name);
});

test('a border is added around the picture, and a picture grows', async () => {
  const size = ['--width', '64', '--height', '64', '--steps', '4', '--image', at('image.png')];
  expect((await generate(...size, '--outpaint', '0,8,16,0')).code).toBe(0);
  expect(await sharp(at('out.png')).metadata()).toMatchObject({ width: 80, height: 72 });
  const { code, stdout } = await generate(...size, '--upscale', '1.5', '--upscale-strength', '0.5', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ width: 96, height: 96, skippedSteps: 2 });
});

test('only what is masked is drawn, at a size of its own; the picture keeps its own, and says how it was asked for', async () => {
  const spot = sharp({ create: { width, height, channels: 3, background: 'black' } }).composite([
    { input: { create: { width: 20, height: 12, channels: 3, background: 'white' } }, left: 30, top: 40 },
  ]);
  await spot.png().toFile(at('spot.png'));
  const given = ['--image', at('image.png'), '--mask', at('spot.png'), '--mask-blur', '0', '--steps', '4'];
  const { code, stdout, stderr } = await generate(
    ...given,
    '--padding-mask-crop',
    '6',
    '--seed',
    '3',
    '--json',
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ width, height });
  const pixels = async (file: string) => sharp(at(file)).removeAlpha().raw().toBuffer();
  const [before, after] = [await pixels('image.png'), await pixels('out.png')];
  const changed = [...after.keys()].filter((i) => after[i] !== before[i]);
  const places = changed.map((i) => [Math.floor(i / 3) % width, Math.floor(i / 3 / width)] as const);
  expect(changed.length).toBeGreaterThan(20 * 12);
  expect(places.every(([x, y]) => x >= 30 && x < 50 && y >= 40 && y < 52)).toBe(true);
  const { params } = (await readPicture(await readFile(at('out.png')))) as { params: object };
  // The model's own size, which is the one it was drawn at.
  expect(params).toMatchObject({ seed: 3, width: 64, height: 64 });
  const info = (await readFile(at('out.png'))).toString('latin1');
  expect(info).toContain('Inpaint area: Only masked, Masked area padding: 6');
});

test('where nothing can be written nothing is drawn: no folder, or a folder of that name, also of a numbered one', async () => {
  await mkdir(at('taken-2.png'), { recursive: true });
  const refused = async (...args: string[]) => {
    const { code, stderr } = await generate(...args);
    expect(code).toBe(2);
    return stderr;
  };
  expect(await refused('--out', at('none/out.png'))).toContain('there is no folder');
  expect(await refused('--out', at('taken-2.png'))).toContain('is a folder, not a file');
  expect(await refused('--out', at('taken.png'), '--count', '3')).toContain('taken-2.png is a folder');
  expect(await refused('--dump-latents', at('none/x.safetensors'))).toContain('there is no folder');
  expect(await readdir(scratch)).not.toContain('taken-1.png');
});

describe('bad input ends in one line and code 2', () => {
  const image = ['--image', 'image.png'];
  test.each<[string, string[], RegExp]>([
    ['no such file', ['--image', 'none.png'], /invalid_parameter: .*none\.png cannot be read/],
    ['no picture', ['--image', 'words.png'], /invalid_parameter: This is not a picture/],
    ['a mask alone', ['--mask', 'mask.png'], /invalid_parameter: --image: inpaint needs it/],
    ['an empty mask', [...image, '--mask', 'empty.png'], /invalid_parameter: the mask is empty/],
    ['too much strength', [...image, '--strength', '2'], /invalid_parameter: --strength 2:/],
    ['strength that leaves nothing', [...image, '--strength', '0'], /leaves none of 50 steps/],
    ['strength without a picture', ['--strength', '0.5'], /--strength 0\.5: is not a field of text-to-image/],
    ['a border between pixels', [...image, '--outpaint', '7'], /invalid_parameter: --outpaint 7:/],
    ['a border of three sides', [...image, '--outpaint', '8,8,8'], /invalid_request: .*'8,8,8' is invalid/],
    [
      'an area with a border',
      [...image, '--outpaint', '8', '--padding-mask-crop', '8'],
      /does not go with outpaint/,
    ],
    ['an upscaled mask', [...image, '--mask', 'mask.png', '--upscale', '2'], /is not a field of inpaint/],
    ['too large', [...image, '--upscale', '99'], /invalid_parameter: --upscale 99:/],
    ['an unknown task', ['--task', 'sculpt'], /invalid_request: .*'sculpt' is invalid/],
  ])('%s', async (_, args, message) => {
    const paths = args.map((arg) => (arg.endsWith('.png') ? at(arg) : arg));
    const { code, stdout, stderr } = await generate(...paths, '--out', at('never.png'));
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n'), stderr).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(await readdir(scratch)).not.toContain('never.png');
  });
});
