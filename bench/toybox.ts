import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Plan } from '../lib/contracts/generation.ts';
import { resolveSchedule } from '../lib/contracts/plan.ts';
import { openModel } from '../lib/engine/checkpoint/model-source.ts';
import { parseUnetConfig } from '../lib/engine/networks/unet/config.ts';
import { UnetDenoiser } from '../lib/engine/networks/unet/denoiser.ts';
import { parseAutoencoderConfig } from '../lib/engine/networks/vae/config.ts';
import { guidanceRows } from '../lib/engine/propagation/loop.ts';
import { spansOf } from '../lib/engine/propagation/plan.ts';
import { createRuntime } from '../lib/engine/runtime/runtime.ts';
import { decodeWidth } from '../lib/engine/tasks/call-size.ts';
import { Engine } from '../lib/engine/tasks/engine.ts';
import { inspectModel } from '../lib/engine/tasks/inspect-model.ts';
import type { GenerateInput } from '../lib/engine/tasks/task.ts';
import { noiseSource } from '../lib/engine/tensor/random.ts';
import { inChild } from './child.ts';
import type { Drawn } from './draw.ts';
import { gigabytes, inTurns, ratio, seconds, shown, type Cost } from './measure.ts';
import { report, type Row } from './report.ts';

const model = fileURLToPath(new URL('../models/toybox', import.meta.url));
const directory = fileURLToPath(new URL('.cache/packed-toybox', import.meta.url));
const rounds = 15;

/** The bundled model as a user runs it. */
export async function benchToybox(log: (line: string) => void): Promise<void> {
  const defaults = await inspectModel(model);
  const input = (steps: number, plan: Plan): GenerateInput => ({
    task: 'text-to-image',
    model,
    prompt: 'a fox in a meadow',
    negativePrompt: '',
    width: defaults.width,
    height: defaults.height,
    steps,
    guidanceScale: defaults.guidanceScale,
    seed: 0,
    count: 1,
    plan,
    injection: 0,
    decodeWidth: 'auto',
  });

  await rm(directory, { recursive: true, force: true });
  const draw = (times: number) =>
    inChild<Drawn>('draw.ts', [directory, String(times), JSON.stringify(input(50, 'faster'))]);
  log('first start, packing the graphs');
  const cold = await draw(1);
  log('second start, from the packed graphs');
  const packed = await draw(4);

  log('encoder, decoder and whole runs, in turns');
  const c = await measureUnet(input(50, 'faster'));
  const rows: Row[] = [
    ['encoder, one key step with guidance', shown(c.encoder)],
    ['decoder, one step', shown(c.decoder)],
    ['decoder, five steps in one call', shown(c.decoder5)],
    ['full step', shown(c.step), 'encoder + decoder'],
    ...(
      [
        [20, c.exact20, c.faster20],
        [50, c.exact50, c.faster50],
      ] as const
    ).map(([steps, exact, faster]): Row => [
      `UNet time of ${steps} steps, exact / faster`,
      ratio(exact.cpu / faster.cpu),
      `${shown(exact)} / ${shown(faster)}`,
    ]),
  ];
  for (const steps of [20, 50]) {
    const warm = await measureWarm(input(steps, 'faster'));
    rows.push([`warm picture, ${steps} steps, faster`, shown(warm), 'prompt to pixels']);
  }
  rows.push(
    ['first picture ever (packs the graphs)', seconds(cold.wall[0]!), `${seconds(cold.load)} of it opening`],
    ['first picture of a later start', seconds(packed.wall[0]!), `${seconds(packed.load)} of it opening`],
    ['peak private memory of that process', gigabytes(packed.peak)],
  );
  await report('npm run bench', `Toybox, ${defaults.width} x ${defaults.height}`, rows);
}

/** The network alone, in the pattern of calls that the loop makes. */
async function measureUnet({ width, height, guidanceScale }: GenerateInput) {
  const source = await openModel(model);
  const network = await source.network('unet');
  const { scale } = parseAutoencoderConfig(source.components.get('vae') ?? '', await source.config('vae'));
  const config = parseUnetConfig(network.config);
  const runtime = await createRuntime({ device: 'cpu', cache: { directory, budgetBytes: 100e9 } });
  const denoiser = new UnetDenoiser(config, network.weights, (graph) => runtime.open(graph));
  const noise = noiseSource('philox', 0);
  const halves = guidanceRows(1, guidanceScale);
  const latents = noise.normal([1, denoiser.inChannels, height / scale, width / scale]);
  const prepared = await denoiser.prepare({
    encoderHiddenStates: noise.normal([halves, 16, config.textWidth]),
  });
  const features = await denoiser.encode(latents, 500, prepared);
  const calls = decodeWidth('auto', halves * denoiser.cost(height / scale, width / scale).decoder, 'cpu');
  const run = (plan: Plan, steps: number) => async () => {
    for (const span of spansOf(resolveSchedule(plan, steps).keySteps, steps, calls)) {
      const encoded = await denoiser.encode(latents, 500, prepared);
      for (const call of span.calls) await denoiser.decode(encoded, call, prepared);
    }
  };
  const measured = await inTurns(
    {
      encoder: () => denoiser.encode(latents, 500, prepared),
      decoder: () => denoiser.decode(features, [500], prepared),
      decoder5: () => denoiser.decode(features, [500, 480, 460, 440, 420], prepared),
      step: async () => denoiser.decode(await denoiser.encode(latents, 500, prepared), [500], prepared),
      exact20: run('exact', 20),
      faster20: run('faster', 20),
      exact50: run('exact', 50),
      faster50: run('faster', 50),
    },
    rounds,
  );
  await denoiser.dispose();
  await runtime.dispose();
  return measured;
}

async function measureWarm(input: GenerateInput): Promise<Cost> {
  const engine = new Engine({ device: 'cpu', cache: { directory, budgetBytes: 100e9 } });
  const { picture } = await inTurns({ picture: () => engine.generate(input) }, rounds);
  await engine.dispose();
  return picture;
}
