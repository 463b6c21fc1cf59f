import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { receiptSchema } from '../../lib/contracts/generation.ts';
import { readSafetensors, writeSafetensors } from '../../lib/engine/checkpoint/safetensors.ts';
import { reshaped, rows, scaled } from '../../lib/engine/tensor/arithmetic.ts';
import { float32, type Tensor } from '../../lib/engine/tensor/tensor.ts';
import { encore, scratch, useCommandLine, type CliOutcome } from '../support/cli.ts';
import { expectTrajectory } from '../support/parity.ts';

type Float32 = Tensor<'float32'>;

useCommandLine();

function generate(...args: string[]): Promise<CliOutcome> {
  return encore('generate', '--device', 'cpu', ...args);
}

const tiny = 'test/golden/tiny-sd';
const small = ['--model', tiny, '--width', '64', '--height', '64', '--prompt', 'a fox'];

test('writes a picture that says how it was made, and prints the receipt', async () => {
  const out = join(scratch, 'fox.png');
  const { code, stdout, stderr } = await generate(
    ...small,
    '--steps',
    '20',
    '--seed',
    '3',
    '--out',
    out,
    '--json',
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { path, paths, ...receipt } = JSON.parse(stdout) as Record<string, unknown>;
  expect(receiptSchema.parse(receipt)).toMatchObject({
    seed: 3,
    steps: 20,
    encoderRuns: 7,
    injection: 0.003,
  });
  expect([path, paths]).toEqual([out, [out]]);
  const file = await readFile(out);
  expect(await sharp(file).metadata()).toMatchObject({ format: 'png', width: 64, height: 64 });
  expect(file.toString('latin1')).toContain('a fox');
});

test('what was given no name is written over nothing, and is a video where one was asked for', async () => {
  const folder = await mkdtemp(join(scratch, 'unnamed-'));
  const before = process.cwd();
  process.chdir(folder);
  try {
    const model = ['--model', join(before, tiny), '--width', '64', '--height', '64'];
    const draw = (...args: string[]) => generate(...model, 'a fox', '--steps', '2', ...args);
    const names = [];
    for (const args of [[], [], ['--count', '2'], ['--frames', '2']]) {
      const { code, stdout, stderr } = await draw(...args);
      expect(code, stderr).toBe(0);
      names.push(
        stdout
          .trim()
          .split('\n')
          .map((path) => relative(folder, path)),
      );
    }
    expect(names).toEqual([['out.png'], ['out-2.png'], ['out-2-1.png', 'out-2-2.png'], ['out.mp4']]);
  } finally {
    process.chdir(before);
  }
});

test('several pictures get numbers, and nothing else is left behind', async () => {
  const folder = await mkdtemp(join(scratch, 'several-'));
  const { code, stdout } = await generate(
    ...small,
    '--steps',
    '2',
    '--count',
    '2',
    '--out',
    join(folder, 'fox.png'),
  );
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toEqual([join(folder, 'fox-1.png'), join(folder, 'fox-2.png')]);
  expect((await readdir(folder)).sort()).toEqual(['fox-1.png', 'fox-2.png']);
});

test('from given latents and embeds to dumped latents: diffusers’ own, to rounding', async () => {
  const tensors = await readSafetensors(join(tiny, 'reference/traces.safetensors'));
  const pick = (...names: string[]) => Object.fromEntries(names.map((name) => [name, tensors.get(name)!]));
  const [latents, embeds, dump] = ['latents', 'embeds', 'dump'].map((name) =>
    join(scratch, `${name}.safetensors`),
  );
  await writeSafetensors(latents!, pick('latents'));
  await writeSafetensors(embeds!, pick('prompt_embeds', 'negative_prompt_embeds'));
  const { code, stdout } = await generate(
    ...['--model', tiny, '--steps', '10', '--guidance', '7.5', '--plan', 'exact', '--json'],
    ...[
      '--latents',
      latents!,
      '--prompt-embeds',
      embeds!,
      '--dump-latents',
      dump!,
      '--out',
      join(scratch, 'l.png'),
    ],
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ injection: 0, width: 32, height: 16, plan: 'exact' });
  const dumped = (await readSafetensors(dump!)).get('latents') as Float32;
  const trace = tensors.get('exact.latents') as Float32;
  expectTrajectory(dumped, reshaped(rows(trace, 9, 10), trace.shape.slice(1)), 'dumped latents');
});

test('Ctrl-C ends a run before its end: code 130, one line, no file', async () => {
  const before = process.listeners('SIGINT');
  const out = join(scratch, 'stopped.png');
  const running = generate(...small, '--steps', '1000', '--plan', 'exact', '--out', out);
  const interrupt = await vi.waitUntil(
    () => process.listeners('SIGINT').find((listener) => !before.includes(listener)),
    { timeout: 30_000 },
  );
  interrupt?.('SIGINT');
  expect(await running).toEqual({ code: 130, stdout: '', stderr: 'encore: cancelled: Cancelled.\n' });
  expect(await readdir(scratch)).not.toContain('stopped.png');
  expect(process.listeners('SIGINT')).toEqual(before);
});

describe('bad input ends in one line and code 2', () => {
  const file = (name: string) => join(scratch, name);
  beforeAll(async () => {
    await writeSafetensors(file('other.safetensors'), { something: float32([1]) });
    await writeSafetensors(file('nan.safetensors'), { latents: scaled(NaN, float32([1, 4, 8, 8])) });
  });
  test.each<[string, string[], RegExp]>([
    ['no prompt', ['--model', tiny], /invalid_request: neither a prompt nor --prompt-embeds/],
    ['two prompts', [...small, 'a hen'], /invalid_request: the prompt was given twice/],
    [
      'a book for a prompt, of which the beginning is enough to know it by',
      ['--model', tiny, 'a tale '.repeat(1000)],
      /^encore: invalid_parameter: --prompt "(a tale )+.{0,8}…: .{0,80}$/m,
    ],
    ['an empty prompt', ['--model', tiny, '--prompt', ' '], /invalid_parameter: --prompt/],
    ['0 steps', [...small, '--steps', '0'], /invalid_parameter: --steps 0:/],
    ['10,000 steps', [...small, '--steps', '10000'], /invalid_parameter: --steps 10000:/],
    ['steps in words', [...small, '--steps', 'ten'], /invalid_request: .*'ten' is invalid/],
    ['a size that is no multiple of 8', [...small, '--width', '100'], /invalid_parameter: --width 100:/],
    ['an unknown scheduler', [...small, '--scheduler', 'ddimm'], /unknown_scheduler: .*"ddimm".* ddim/],
    [
      'an unknown model',
      ['--model', 'no-such', '--prompt', 'a'],
      /unknown_model: there is no model "no-such"/,
    ],
    ['an unknown flag', [...small, '--colour', 'x'], /invalid_request: unknown option '--colour'/],
    ['a plan of words', [...small, '--plan', 'quick'], /invalid_request: .*'quick' is invalid/],
    ['a key step that is not there', [...small, '--steps', '12', '--plan', '0,12'], /step 12 does not exist/],
    ['a decode width of 0', [...small, '--decode-width', '0'], /'0' is invalid/],
    ['another kind of file', [...small, '--out', 'fox.jpg'], /invalid_parameter: --out fox\.jpg/],
    ['a folder that is not there', [...small, '--out', 'no/such/fox.png'], /there is no folder .*no\/such/],
    ['latents that are missing', [...small, '--latents', 'none.safetensors'], /none\.safetensors/],
    [
      'a file without latents',
      [...small, '--latents', 'other'],
      /invalid_tensor: .* holds no "latents".*something/,
    ],
    ['latents with NaN', [...small, '--latents', 'nan'], /invalid_tensor: .*"latents" holds NaN/],
  ])('%s', async (_, args, message) => {
    const paths = args.map((arg) => (arg === 'other' || arg === 'nan' ? file(`${arg}.safetensors`) : arg));
    const { code, stdout, stderr } = await generate('--out', file('never.png'), ...paths);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n'), stderr).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(await readdir(scratch)).not.toContain('never.png');
  });
});
