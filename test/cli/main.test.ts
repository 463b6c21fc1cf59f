import { execFile, spawn } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openControlSource } from '../../lib/engine/checkpoint/control-source.ts';
import {
  openSafetensors,
  readSafetensors,
  readWeight,
  writeSafetensors,
} from '../../lib/engine/checkpoint/safetensors.ts';
import { concatRows, scaled } from '../../lib/engine/tensor/arithmetic.ts';
import { float32, type Tensor } from '../../lib/engine/tensor/tensor.ts';
import packageJson from '../../package.json' with { type: 'json' };
import controlNames from '../golden/single-file/control-names.json' with { type: 'json' };
import { expectForward } from '../support/parity.ts';

const tinySd = resolve('test/golden/tiny-sd');
/** Two forwards that add up in another order; see the gates of test/engine/networks. */
const tolerance = 2e-5;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'encore-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** The command as a user runs it, with a home of its own. */
function encore(...args: string[]): Promise<Ran> {
  return encoreIn(process.cwd(), ...args);
}

function encoreIn(cwd: string, ...args: string[]): Promise<Ran> {
  const env = { ...process.env, ENCORE_HOME: join(folder, 'home'), ENCORE_DEBUG: '' };
  return new Promise((done) => {
    execFile(process.execPath, [resolve('bin/encore.mjs'), ...args], { env, cwd }, (error, out, err) => {
      done({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

function expectRefusal({ code, out, err }: Ran, start: string) {
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err.trimEnd().split('\n')).toHaveLength(1);
  expect(err).toContain(`encore: ${start}`);
}

async function unetInputs(path: string, change: (tensors: Record<string, Tensor>) => void = () => {}) {
  const reference = await readSafetensors(join(tinySd, 'reference', 'unet.safetensors'), [
    'sample',
    'timestep',
    'encoder_hidden_states',
  ]);
  const tensors = Object.fromEntries(reference);
  change(tensors);
  await writeSafetensors(path, tensors);
}

describe('encore forward', () => {
  const forward = (model: string, inputs: string, ...more: string[]) =>
    encore(
      'forward',
      '--model',
      model,
      '--component',
      'unet',
      '--inputs',
      inputs,
      '--out',
      join(folder, 'out.safetensors'),
      '--device',
      'cpu',
      ...more,
    );

  it('runs a component of a model folder and from its own folder, as diffusers does', async () => {
    await unetInputs(join(folder, 'in.safetensors'));
    for (const model of [tinySd, join(tinySd, 'unet')]) {
      const ran = await forward(model, join(folder, 'in.safetensors'), '--json');
      expect(ran.err).toBe('');
      expect(JSON.parse(ran.out)).toMatchObject({
        component: 'unet',
        device: 'cpu',
        outputs: { sample: [2, 4, 16, 16] },
      });
      const sample = (await readSafetensors(join(folder, 'out.safetensors'))).get('sample')!
        .data as Float32Array;
      const reference = await readSafetensors(join(tinySd, 'reference', 'unet.safetensors'), [
        'output.sample',
      ]);
      const expected = reference.get('output.sample')!.data as Float32Array;
      expect(Math.max(...sample.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(tolerance);
    }
  });

  it('runs a ControlNet, whose scale may be left out, as diffusers does', async () => {
    const tinyControl = resolve('test/golden/tiny-controlnet');
    const reference = (await readSafetensors(
      join(tinyControl, 'reference', 'controlnet.safetensors'),
    )) as Map<string, Tensor<'float32'>>;
    const given = (name: string) => reference.get(name)!;
    const twice = (name: string) => concatRows([given(name), given(name)]);
    const inputs = {
      sample: twice('sample'),
      controlnet_cond: twice('controlnet_cond'),
      timestep: given('timestep'),
      encoder_hidden_states: given('encoder_hidden_states'),
    };
    const mid = async (tensors: Record<string, Tensor>) => {
      await writeSafetensors(join(folder, 'control.safetensors'), tensors);
      const ran = await forward(
        tinyControl,
        join(folder, 'control.safetensors'),
        '--component',
        'controlnet',
        '--json',
      );
      expect(ran.err).toBe('');
      const { outputs } = JSON.parse(ran.out) as { outputs: Record<string, number[]> };
      expect(Object.keys(outputs)).toHaveLength(5);
      const written = await readSafetensors(join(folder, 'out.safetensors'));
      return written.get('mid_block_res_sample') as Tensor<'float32'>;
    };
    const expected = given('output.mid_block_res_sample');
    const scale = given('conditioning_scale');
    expectForward(await mid({ ...inputs, conditioning_scale: scale }), expected, 'scaled');
    expectForward(scaled(scale.data[0]!, await mid(inputs)), expected, 'at 1');
  });

  it('refuses inputs that are missing, ill-shaped or not numbers, in one line with exit code 2', async () => {
    const path = join(folder, 'bad.safetensors');
    expectRefusal(await forward(tinySd, join(folder, 'nowhere')), 'checkpoint_not_found: ');
    await unetInputs(path, (tensors) => delete tensors.timestep);
    expectRefusal(await forward(tinySd, path), 'invalid_tensor: ');
    await unetInputs(path, (tensors) => (tensors.sample = float32([2, 5, 16, 16])));
    expectRefusal(await forward(tinySd, path), 'invalid_tensor: ');
    await unetInputs(path, (tensors) => ((tensors.sample!.data as Float32Array)[3] = NaN));
    expectRefusal(await forward(tinySd, path), 'invalid_tensor: ');
  });

  it('says so when weights are damaged: cut short, or NaN', async () => {
    const unet = join(folder, 'unet');
    const weights = join(unet, 'diffusion_pytorch_model.safetensors');
    await mkdir(unet, { recursive: true });
    await unetInputs(join(folder, 'in.safetensors'));
    for (const name of ['config.json', 'diffusion_pytorch_model.safetensors']) {
      await copyFile(join(tinySd, 'unet', name), join(unet, name));
    }
    const bytes = await readFile(weights);
    const { offset } = (await openSafetensors(weights)).tensors.get('conv_in.weight')!;
    bytes.writeFloatLE(NaN, offset);
    await writeFile(weights, bytes);
    expectRefusal(await forward(unet, join(folder, 'in.safetensors')), 'weights_invalid: ');
    await truncate(weights, bytes.length - 100);
    expectRefusal(await forward(unet, join(folder, 'in.safetensors')), 'checkpoint_invalid: ');
  });

  it('fails with exit code 1 where the device is the reason', async () => {
    const missing = process.platform === 'darwin' ? 'dml' : 'coreml';
    await unetInputs(join(folder, 'in.safetensors'));
    const ran = await forward(tinySd, join(folder, 'in.safetensors'), '--device', missing);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(`encore: device_unavailable: ${missing} cannot be used here`);
  });
});

describe('encore inspect', () => {
  it('knows a ControlNet, whatever its folder is called and in one file', async () => {
    const tinyControl = resolve('test/golden/tiny-controlnet');
    const { weights } = await openControlSource(tinyControl);
    const original: Record<string, Tensor> = {};
    for (const [old, now] of Object.entries(controlNames.names)) {
      original[`control_model.${old}`] = await readWeight(weights.get(now));
    }
    const file = join(folder, 'lines.safetensors');
    await writeSafetensors(file, original);
    const inFolder = await encore('inspect', tinyControl, '--json');
    expect(inFolder.err).toBe('');
    const own = { className: 'ControlNetModel', tensors: 124 };
    expect(JSON.parse(inFolder.out)).toMatchObject({
      className: 'ControlNetModel',
      components: [{ ...own, matched: 124, unmatched: [], problem: null }],
    });
    // Groups of 32 channels, as every ControlNet in one file has, are too many for one this small.
    const inFile = await encore('inspect', file, '--json');
    expect(inFile.err).toContain('8 channels do not divide into 32 groups');
    expect(JSON.parse(inFile.out)).toMatchObject({ layout: 'single-file', components: [own] });
  });

  it('matches every tensor of a checkpoint', async () => {
    const { out, err } = await encore('inspect', tinySd, '--json');
    expect(err).toBe('');
    const report = JSON.parse(out) as {
      hash: string;
      components: {
        name: string;
        matched: number | null;
        tensors: number;
        unmatched: string[];
        problem: string | null;
      }[];
    };
    expect(report.hash).toMatch(/^[0-9a-f]{16}$/);
    for (const name of ['unet', 'vae', 'text_encoder']) {
      const component = report.components.find((each) => each.name === name);
      expect(component).toMatchObject({ unmatched: [], problem: null });
      expect(component?.matched).toBe(component?.tensors);
      expect(component?.matched).toBeGreaterThan(40);
    }
  });

  it('says which part is damaged and how, and ends with exit code 2', async () => {
    const model = join(folder, 'damaged');
    await cp(tinySd, model, { recursive: true });
    const weights = join(model, 'vae', 'diffusion_pytorch_model.safetensors');
    await truncate(weights, 1000);
    const { code, out, err } = await encore('inspect', model);
    expect(code).toBe(2);
    expect(out).toMatch(/unet +UNet2DConditionModel\n.* matched, 0 unmatched/);
    expect(out).toMatch(/vae +AutoencoderKL\n +cannot be used: .*diffusion_pytorch_model\.safetensors/);
    expect(err).toMatch(/^encore: checkpoint_invalid: .*\n$/);
  });

  it('describes one file', async () => {
    const { out } = await encore('inspect', join(tinySd, 'unet', 'diffusion_pytorch_model.safetensors'));
    expect(out).toContain('down_blocks');
    expect(out).toContain('float32');
  });
});

describe('names of models', () => {
  it('are those of what is installed, whatever lies in the current directory', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(join(elsewhere, 'toybox'), { recursive: true });
    await writeFile(join(elsewhere, 'toybox', 'notes.txt'), 'no model');
    const drawn = await encoreIn(elsewhere, 'generate', 'a fox', '--steps', '1', '--json');
    expect(drawn.err).toBe('');
    expect(JSON.parse(drawn.out)).toMatchObject({ model: 'toybox', steps: 1 });
    expectRefusal(await encoreIn(elsewhere, 'inspect', './toybox'), 'checkpoint_not_found: ');
  });

  it('are listed with what they name: folders and files, also on the shelves of the data directory', async () => {
    const models = join(folder, 'home', 'models');
    await mkdir(join(models, 'checkpoints'), { recursive: true });
    await mkdir(join(models, 'loras'), { recursive: true });
    await cp(join(tinySd, 'unet'), join(models, 'half'), { recursive: true });
    await cp(resolve('test/golden/tiny-controlnet'), join(models, 'lines'), { recursive: true });
    await cp(tinySd, join(models, 'checkpoints', 'tiny'), { recursive: true });
    const layer = 'lora_unet_mid_block_attentions_0_proj_in';
    await writeSafetensors(join(models, 'loras', 'style.safetensors'), {
      [`${layer}.lora_down.weight`]: float32([1, 4]),
      [`${layer}.lora_up.weight`]: float32([4, 1]),
    });
    const { code, out, err } = await encore('models', '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const listed = (JSON.parse(out) as { models: { name: string; kind: string | null; path: string }[] })
      .models;
    expect(Object.fromEntries(listed.map(({ name, kind }) => [name, kind]))).toEqual({
      cyanotype: 'lora',
      half: null,
      lines: 'controlnet',
      style: 'lora',
      tiny: 'model',
      toybox: 'model',
      'toybox-scribble': 'controlnet',
    });
    expect(await encore('inspect', 'style')).toMatchObject({ code: 0, err: '' });
    expect(listed.find(({ name }) => name === 'tiny')?.path).toBe(join(models, 'checkpoints', 'tiny'));
    await rm(models, { recursive: true });
  });
});

describe('encore', () => {
  it('lists every device with a reason for each that cannot be used', async () => {
    const { code, out } = await encore('devices', '--json');
    expect(code).toBe(0);
    const { auto, devices } = JSON.parse(out) as {
      auto: string;
      devices: { name: string; available: boolean; reason: string | null }[];
    };
    expect(devices.map(({ name }) => name).sort()).toEqual(['coreml', 'cpu', 'cuda', 'dml', 'webgpu']);
    expect(devices.find(({ name }) => name === auto)?.available).toBe(true);
    for (const { available, reason } of devices) if (!available) expect(reason?.length).toBeGreaterThan(10);
  });

  it.each([
    [['paint'], "unknown command 'paint'. See `encore --help`"],
    [['paint', '--help'], "unknown command 'paint'"],
    [['help', 'paint'], "unknown command 'paint'"],
    [['generat', '--help'], '(Did you mean generate?)'],
    [['generate', '--promt', 'a fox'], '(Did you mean --prompt?). See `encore generate --help`'],
    [['inspect'], "missing required argument 'model'"],
    [['inspect', tinySd, '--colour'], "unknown option '--colour'"],
    [['forward', '--model', tinySd], "required option '--component <name>' not specified"],
    [
      ['forward', '--model', tinySd, '--component', 'unet.middle'],
      "'unet.middle' is invalid. Allowed choices are",
    ],
    [['devices', 'all'], 'too many arguments'],
  ])('refuses %j', async (args, message) => {
    const ran = await encore(...args);
    expectRefusal(ran, 'invalid_request: ');
    expect(ran.err).toContain(message);
  });

  it('says its version, and what there is where no command was named', async () => {
    expect(await encore('--version')).toEqual({ code: 0, out: `${packageJson.version}\n`, err: '' });
    const { code, out, err } = await encore();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    for (const name of ['generate', 'models', 'inspect', 'devices', 'forward'])
      expect(err).toContain(`  ${name} `);
    expect(err.trimEnd().split('\n').at(-1)).toMatch(/^encore: invalid_request: no command was given/);
  });

  it('is silent towards a reader that has seen enough', async () => {
    const child = spawn(process.execPath, [resolve('bin/encore.mjs'), 'inspect', tinySd], { stdio: 'pipe' });
    child.stdout.destroy();
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const code = await new Promise((done) => child.once('close', done));
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('shows where an error came from only when asked', async () => {
    const ran = await encore('inspect', join(folder, 'nowhere'));
    expectRefusal(ran, 'unknown_model: ');
    expect(ran.err).not.toContain('    at ');
  });
});
