import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '../lib/engine/checkpoint/safetensors.ts';
import { denoise } from '../lib/engine/propagation/loop.ts';
import { spansOf } from '../lib/engine/propagation/plan.ts';
import { createRuntime } from '../lib/engine/runtime/runtime.ts';
import { createScheduler, schedulerNameOf } from '../lib/engine/schedulers/index.ts';
import { Engine } from '../lib/engine/tasks/engine.ts';
import { loadModel, type LoadedModel } from '../lib/engine/tasks/loaded-model.ts';
import { concatRows, reshaped, rows, scaled } from '../lib/engine/tensor/arithmetic.ts';
import type { Tensor } from '../lib/engine/tensor/tensor.ts';
import { readModes, writeInpaintingModel } from '../test/support/modes.ts';
import { report, type Row } from './report.ts';

type Float32 = Tensor<'float32'>;
type Tensors = ReadonlyMap<string, Tensor>;

interface Case {
  case: string;
  steps: number;
  guidance: number;
  scheduler: string;
  keySteps?: number[];
  alpha?: number;
}

const golden = (path: string) => fileURLToPath(new URL(`../test/golden/${path}`, import.meta.url));

/** How far the engine is from torch and diffusers on the committed references. The tests hold the same to gates. */
export async function benchParity(log: (line: string) => void): Promise<void> {
  const runtime = await createRuntime({ device: 'cpu' });
  const table: Row[] = [];
  for (const name of ['tiny-sd', 'tiny-sd2', 'tiny-toy']) {
    log(name);
    const model = await loadModel(golden(name), (graph) => runtime.open(graph));
    const read = (part: string) => readSafetensors(golden(`${name}/reference/${part}.safetensors`));
    table.push(
      ...(await forwards(name, model, await read('text_encoder'), await read('unet'), await read('vae'))),
    );
    const { cases } = JSON.parse(await readFile(golden(`${name}/reference/traces.json`), 'utf8')) as {
      cases: Case[];
    };
    const traces = await read('traces');
    for (const entry of cases) {
      const worst = await trajectory(model, traces, entry);
      const plan =
        entry.keySteps === undefined
          ? `${entry.steps} exact steps`
          : `key steps ${entry.keySteps.join(' ')} of ${entry.steps}`;
      const injected = entry.alpha ? `, injection ${entry.alpha}` : '';
      const what = `${plan}, ${schedulerNameOf({ _class_name: entry.scheduler })}, guidance ${entry.guidance}${injected}`;
      table.push([`${name} latents`, worst.toExponential(1), what]);
    }
    await model.release();
  }
  await runtime.dispose();
  log('tasks');
  table.push(...(await tasks()));
  await report(
    'npm run bench -- parity',
    'Distance from diffusers (forwards: max / rms over std; runs: max over std of any step)',
    table,
  );
}

/** The tasks beyond text to image, final latents, through the engine as a request comes in. */
async function tasks(): Promise<Row[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'encore-parity-'));
  await writeInpaintingModel(join(scratch, 'inpainting'));
  const { cases, tensors, requestOf, steps, skipped } = await readModes(join(scratch, 'inpainting'));
  const engine = new Engine({ device: 'cpu' });
  const result: Row[] = [];
  for (const entry of cases) {
    const { latents, receipt } = await engine.generate(requestOf(entry));
    const { max } = difference(latents, tensors.get(`${entry.case}.latents`) as Float32);
    const evaluated = steps - skipped(entry.strength);
    const plan =
      entry.keySteps === undefined
        ? `${evaluated} exact steps of ${steps}`
        : `key steps ${entry.keySteps.join(' ')} of ${evaluated}, injection`;
    const channels = entry.task === 'inpaint' ? `, ${entry.channels ?? 4} channels` : '';
    result.push([`${entry.task}${channels}`, max.toExponential(1), `${plan}, ${receipt.scheduler}`]);
  }
  await engine.dispose();
  await rm(scratch, { recursive: true });
  return result;
}

async function forwards(
  name: string,
  model: LoadedModel,
  text: Tensors,
  unet: Tensors,
  vae: Tensors,
): Promise<Row[]> {
  const get = (tensors: Tensors, key: string) => tensors.get(key) as Float32;
  const result: Row[] = [];
  const add = (what: string, actual: Float32, expected: Float32) => {
    const { max, rms } = difference(actual, expected);
    result.push([`${name} ${what}`, `${max.toExponential(1)} / ${rms.toExponential(1)}`]);
  };
  const ids = text.get('input_ids')!;
  const length = ids.shape[1]!;
  const tokens = Array.from({ length: ids.shape[0]! }, (_, i) => {
    return Array.from((ids.data as BigInt64Array).subarray(i * length, (i + 1) * length), Number);
  });
  add(
    'text encoder',
    (await model.textEncoder.encode(tokens)).lastHiddenState,
    get(text, 'last_hidden_state'),
  );
  for (const suffix of ['', '_odd']) {
    const prepared = await model.denoiser.prepare({
      encoderHiddenStates: get(unet, `encoder_hidden_states${suffix}`),
    });
    const timesteps = Array.from(unet.get(`timesteps${suffix}`)!.data as BigInt64Array, Number);
    const features = await model.denoiser.encode(get(unet, `sample${suffix}`), timesteps[0]!, prepared);
    const decoded = await model.denoiser.decode(features, timesteps, prepared);
    add(
      `UNet, cut and hoisted${suffix === '' ? '' : ', odd size'}`,
      decoded,
      get(unet, `output.decoded${suffix}`),
    );
  }
  add(
    'VAE decoder',
    await model.autoencoder.decode(get(vae, 'decoder.sample')),
    get(vae, 'decoder.output.sample'),
  );
  return result;
}

/** Largest difference of any step, over the std of the latents expected there. */
async function trajectory(model: LoadedModel, tensors: Tensors, entry: Case): Promise<number> {
  const get = (key: string) => tensors.get(key) as Float32;
  const { guidance, alpha = 0 } = entry;
  const scheduler = createScheduler(model.schedulerConfig, schedulerNameOf({ _class_name: entry.scheduler }));
  const run = scheduler.begin({ steps: entry.steps });
  const positive = get('prompt_embeds');
  const text = guidance > 1 ? concatRows([get('negative_prompt_embeds'), positive]) : positive;
  const expected = get(`${entry.case}.latents`);
  const at = (stack: Float32, i: number) => reshaped(rows(stack, i, i + 1), stack.shape.slice(1));
  let worst = 0;
  await denoise(
    {
      denoiser: model.denoiser,
      prepared: await model.denoiser.prepare({ encoderHiddenStates: text }),
      run,
      spans: spansOf(entry.keySteps ?? run.timesteps.map((_, i) => i), run.timesteps.length, {
        steps: 5,
        rest: 'together',
      }),
      latents: scaled(run.initNoiseSigma, get('latents')),
      guidanceScale: guidance,
      injection: { alpha, tau: 0.5, trainSteps: scheduler.trainSteps },
      noise: (index) => at(get(`${entry.case}.noise`), index),
    },
    { onStep: (i, latents) => void (worst = Math.max(worst, difference(latents, at(expected, i)).max)) },
  );
  return worst;
}

function difference(actual: Float32, expected: Float32): { max: number; rms: number } {
  const n = expected.data.length;
  const mean = expected.data.reduce((sum, value) => sum + value, 0) / n;
  const std = Math.sqrt(expected.data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
  const distances = expected.data.map((value, i) => Math.abs(value - actual.data[i]!));
  const rms = Math.sqrt(distances.reduce((sum, value) => sum + value ** 2, 0) / n);
  return { max: distances.reduce((a, b) => Math.max(a, b), 0) / std, rms: rms / std };
}
