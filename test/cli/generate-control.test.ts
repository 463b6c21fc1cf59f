import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { receiptSchema } from '../../lib/contracts/generation.ts';
import { encore, scratch, useCommandLine, type CliOutcome } from '../support/cli.ts';
import { writeControlNet } from '../support/control.ts';

useCommandLine();
let nets: [string, string];
let drawing: string;

beforeAll(async () => {
  nets = [await writeControlNet(scratch, 11), await writeControlNet(scratch, 12)];
  drawing = join(scratch, 'drawing.png');
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96"><rect width="96" height="96" fill="#fff"/>' +
    '<circle cx="48" cy="48" r="30" fill="none" stroke="#000" stroke-width="5"/></svg>';
  await sharp(Buffer.from(svg)).png().toFile(drawing);
});

function generate(...args: string[]): Promise<CliOutcome> {
  const small = ['--model', 'test/golden/tiny-sd', '--width', '64', '--height', '64', '--prompt', 'a fox'];
  return encore('generate', '--device', 'cpu', ...small, '--steps', '12', ...args);
}

const control = (net: string, ...rest: string[]) => ['--control', net, '--control-image', drawing, ...rest];

test('two ControlNets in order, each with its own picture, strength and part of the run', async () => {
  const out = join(scratch, 'guided.png');
  const { code, stdout, stderr } = await generate(
    ...control(nets[0], '--control-scale', '0.8', '--control-start', '0', '--control-end', '0.5'),
    ...control(nets[1], '--control-scale', '0.4', '--control-start', '0.25'),
    ...['--preprocessor', 'scribble', '--preprocessor', 'canny', '--plan', 'uniform:4'],
    ...['--out', out, '--json'],
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { path, paths, ...printed } = JSON.parse(stdout) as Record<string, unknown>;
  expect([path, paths]).toEqual([out, [out]]);
  const receipt = receiptSchema.parse(printed);
  expect(receipt.control).toMatchObject([
    { model: 'control-11', scale: 0.8, start: 0, end: 0.5 },
    { model: 'control-12', scale: 0.4, start: 0.25, end: 1 },
  ]);
  // Keys of the plan 0 4 8, and 3 and 6 where guidance changes: the first net at 0 3 4, the second at 3 4 6 8.
  expect(receipt.keySteps).toEqual([0, 3, 4, 6, 8]);
  expect([receipt.controlRuns, receipt.controlRunsSaved]).toEqual([7, 8]);
  const file = await readFile(out, 'latin1');
  expect(file).toContain('"task":"reference"');
  expect(file).toContain('"preprocessor":"scribble"');
});

test('what the preprocessor makes is what guides: a drawing and its negative are not the same', async () => {
  const draw = async (...args: string[]) => {
    const out = join(scratch, 'one.png');
    const { code, stderr } = await generate(...control(nets[0], ...args), '--seed', '1', '--out', out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return sharp(out).raw().toBuffer();
  };
  const [lines, plain] = [await draw('--preprocessor', 'scribble'), await draw()];
  expect(lines.equals(plain)).toBe(false);
  expect((await draw('--preprocessor', 'none')).equals(plain)).toBe(true);
});

test('what counts, words or ControlNet, changes the picture, and is said', async () => {
  const draw = async (...args: string[]) => {
    const out = join(scratch, 'mode.png');
    const { code, stdout, stderr } = await generate(
      ...control(nets[0], '--preprocessor', 'scribble', ...args),
      ...['--seed', '1', '--out', out, '--json'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { control: said } = JSON.parse(stdout) as { control: { mode?: string }[] };
    return {
      mode: said[0]?.mode,
      pixels: await sharp(out).raw().toBuffer(),
      file: await readFile(out, 'latin1'),
    };
  };
  const plain = await draw();
  const modes = [await draw('--control-mode', 'prompt'), await draw('--control-mode', 'control')];
  expect(plain.mode).toBeUndefined();
  expect(modes.map(({ mode }) => mode)).toEqual(['prompt', 'control']);
  expect(modes.map(({ pixels }) => pixels.equals(plain.pixels))).toEqual([false, false]);
  expect(modes[0]!.pixels.equals(modes[1]!.pixels)).toBe(false);
  expect(modes[1]!.file).toContain('Control Mode: ControlNet is more important');
  expect((await draw('--control-mode', 'balanced')).pixels.equals(plain.pixels)).toBe(true);
});

test.each<[string, () => string[], RegExp]>([
  ['a ControlNet without a picture', () => ['--control', nets[0]], /has no --control-image/],
  [
    'a picture without a ControlNet',
    () => ['--control-image', drawing],
    /1 times --control-image, 0 times --control/,
  ],
  [
    'two scales for one',
    () => control(nets[0], '--control-scale', '1', '--control-scale', '2'),
    /2 times --control-scale/,
  ],
  [
    'a preprocessor of no such name',
    () => control(nets[0], '--preprocessor', 'depth'),
    /no preprocessor "depth"/,
  ],
  [
    'a control mode of no such name',
    () => control(nets[0], '--control-mode', 'both'),
    /no control mode "both"/,
  ],
  ['a ControlNet that is not there', () => control('nothing-here'), /there is no ControlNet "nothing-here"/],
  [
    'a model instead',
    () => control('test/golden/tiny-sd'),
    /is a StableDiffusionPipeline, not a ControlNetModel/,
  ],
  [
    'one for another model',
    () => control('test/golden/tiny-controlnet'),
    /tiny-controlnet does not fit tiny-sd/,
  ],
  [
    'a file that is no picture',
    () => ['--control', nets[0], '--control-image', join(nets[0], 'config.json')],
    /not a picture/,
  ],
  ['a scale beyond the limit', () => control(nets[0], '--control-scale', '9'), /--control-scale 9:/],
])('%s is refused in one sentence', async (_, args, message) => {
  const { code, stdout, stderr } = await generate(...args(), '--out', join(scratch, 'never.png'));
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  await expect(readFile(join(scratch, 'never.png'))).rejects.toThrow('ENOENT');
});
