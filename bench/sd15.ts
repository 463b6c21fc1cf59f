import { rm } from 'node:fs/promises';
import type { Plan } from '../lib/contracts/generation.ts';
import { resolveSchedule } from '../lib/contracts/plan.ts';
import { openModel } from '../lib/engine/checkpoint/model-source.ts';
import { parseUnetConfig } from '../lib/engine/networks/unet/config.ts';
import { buildUnetStages, type UnetStageOptions } from '../lib/engine/networks/unet/stages.ts';
import { createRuntime } from '../lib/engine/runtime/runtime.ts';
import type { Runtime, Session } from '../lib/engine/runtime/session.ts';
import type { GenerateInput } from '../lib/engine/tasks/task.ts';
import type { Tensor } from '../lib/engine/tensor/tensor.ts';
import { inChild } from './child.ts';
import type { Drawn } from './draw.ts';
import { gigabytes, inTurns, ratio, seconds, shown, timed, type Cost } from './measure.ts';
import { report, type Row } from './report.ts';
import { packedSd15, sd15Inputs, side } from './sd15-calls.ts';
import { sd15Checkpoint } from './sd15-checkpoint.ts';

const rounds = 3;

interface Options {
  /** Measure every call of whole runs of 20 and 50 steps, not only their parts: most of an hour on two cores. */
  runs: boolean;
}

/** Stable Diffusion 1.5 at 64 x 64 latents with guidance: what the savings are worth on a network of real size. */
export async function benchSd15(log: (line: string) => void, { runs }: Options): Promise<void> {
  const model = await sd15Checkpoint(log);
  const input = (steps: number, plan: Plan): GenerateInput => ({
    task: 'text-to-image',
    model,
    prompt: 'a fox in a meadow',
    negativePrompt: '',
    width: 512,
    height: 512,
    steps,
    guidanceScale: 7.5,
    seed: 0,
    count: 1,
    plan,
    injection: 0,
    decodeWidth: 1,
  });
  await rm(packedSd15.directory, { recursive: true, force: true });
  const draw = (steps: number, plan: Plan) =>
    inChild<Drawn>('draw.ts', [packedSd15.directory, '1', JSON.stringify(input(steps, plan))]);
  log('a picture of one step, packing every graph');
  const cold = await draw(1, 'exact');
  log('the same from the packed graphs');
  const packed = await draw(1, 'exact');

  const c = await measureParts(model, runs, log);
  const step = sum(c.encoder, c.decoder);
  const rows: Row[] = [
    ['encoder', shown(c.encoder)],
    ['decoder', shown(c.decoder), 'hoisting, phase upsampling, minimal filtering'],
    ['full step', shown(step), 'encoder + decoder'],
    ['decoder, hoisting and phase upsampling', shown(c.decoderPhased)],
    ['decoder, hoisting', shown(c.decoderHoisted)],
    ['decoder, plain', shown(c.decoderPlain)],
    ['encoder, plain', shown(c.encoderPlain), 'without the hoisted part of the decoder'],
    ['decoder plain / hoisted', ratio(c.decoderPlain.cpu / c.decoderHoisted.cpu)],
    ['decoder plain / hoisted with phase upsampling', ratio(c.decoderPlain.cpu / c.decoderPhased.cpu)],
    ['decoder plain / ours', ratio(c.decoderPlain.cpu / c.decoder.cpu)],
    ['full step plain / ours', ratio((c.encoderPlain.cpu + c.decoderPlain.cpu) / step.cpu)],
  ];
  for (const steps of [20, 50]) {
    const keys = resolveSchedule('faster', steps).keySteps.length;
    const time = (encoder: Cost, decoder: Cost, encoderRuns: number) =>
      encoderRuns * encoder.cpu + steps * decoder.cpu;
    const exact = time(c.encoder, c.decoder, steps);
    const faster = time(c.encoder, c.decoder, keys);
    const [plainExact, paper] = [steps, keys].map((n) => time(c.encoderPlain, c.decoderPlain, n)) as [
      number,
      number,
    ];
    rows.push(
      [`UNet time of ${steps} steps, exact / faster, projected`, ratio(exact / faster), `${keys} key steps`],
      [`the same, plain`, ratio(plainExact / paper), "the paper's method"],
      [`plain exact / ours, faster`, ratio(plainExact / faster), 'every saving together'],
    );
    const [exactRun, fasterRun] = [c.runs[`exact ${steps}`], c.runs[`faster ${steps}`]];
    if (exactRun === undefined || fasterRun === undefined) continue;
    rows.push([
      `UNet time of ${steps} steps, exact / faster, measured`,
      ratio(exactRun.cpu / fasterRun.cpu),
      `${shown(exactRun)} / ${shown(fasterRun)}`,
    ]);
  }
  const { vae } = packed.receipt.seconds;
  rows.push(
    ['autoencoder, 512 x 512 pixels', seconds(vae)],
    [
      'opening everything, first time (packs)',
      seconds(cold.load),
      `peak private memory ${gigabytes(cold.peak)}`,
    ],
    ['opening everything, packed', seconds(packed.load)],
    ['peak private memory of a 512 x 512 picture', gigabytes(packed.peak), 'float32, packed'],
    ['ratios', 'of processor time', 'other work on the machine falls on the wall clock alone'],
  );
  await report('npm run bench -- sd15', 'Stable Diffusion 1.5, 512 x 512, float32, guidance', rows);
}

const sum = (a: Cost, b: Cost): Cost => ({ wall: a.wall + b.wall, cpu: a.cpu + b.cpu });

/** What is switched on: a plain UNet has none of them. */
type Savings = Required<UnetStageOptions> & { winograd: boolean };

async function measureParts(model: string, runs: boolean, log: (line: string) => void) {
  const network = await (await openModel(model)).network('unet');
  const config = parseUnetConfig(network.config);
  const runtimes: Runtime[] = [];
  const size = {
    ...{ batch: 1, rows: 2, steps: 1, height: side, width: side, tokens: 77, control: false },
    weights: network.weights,
  };
  const given = sd15Inputs();
  const opened: Session[] = [];
  const open = async ({ winograd, ...options }: Savings) => {
    const runtime = await createRuntime({
      device: 'cpu',
      cache: packedSd15,
      winograd,
    });
    runtimes.push(runtime);
    const stages = buildUnetStages(config, size, options);
    let known = given;
    const calls: (() => Promise<Record<string, Tensor>>)[] = [];
    for (const graph of [stages.prompt, stages.encoder, stages.decoder]) {
      log(`opening ${graph.name} ${JSON.stringify({ winograd, ...options })}`);
      const session = await runtime.open(graph);
      opened.push(session);
      const feeds = Object.fromEntries(session.inputs.map(({ name }) => [name, known[name]!]));
      const call = () => session.run(feeds);
      known = { ...known, ...(await call()) };
      calls.push(call);
    }
    return { encoder: calls[1]!, decoder: calls[2]! };
  };
  const plain = await open({ hoisting: false, phaseUpsampling: false, winograd: false });
  const hoisted = await open({ hoisting: true, phaseUpsampling: false, winograd: false });
  const phased = await open({ hoisting: true, phaseUpsampling: true, winograd: false });
  const ours = await open({ hoisting: true, phaseUpsampling: true, winograd: true });
  const measured = await inTurns(
    {
      encoder: ours.encoder,
      decoder: ours.decoder,
      decoderPhased: phased.decoder,
      decoderHoisted: hoisted.decoder,
      encoderPlain: plain.encoder,
      decoderPlain: plain.decoder,
    },
    rounds,
    log,
  );
  const measuredRuns: Record<string, Cost> = {};
  for (const steps of runs ? [20, 50] : []) {
    for (const plan of ['exact', 'faster'] as const) {
      log(`${plan} run of ${steps} steps`);
      const keys = new Set(resolveSchedule(plan, steps).keySteps);
      measuredRuns[`${plan} ${steps}`] = await timed(async () => {
        for (let step = 0; step < steps; step++) {
          if (keys.has(step)) await ours.encoder();
          await ours.decoder();
        }
      });
    }
  }
  for (const session of opened) await session.dispose();
  for (const runtime of runtimes) await runtime.dispose();
  return { ...measured, runs: measuredRuns };
}
