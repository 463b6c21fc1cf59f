import { fileURLToPath } from 'node:url';
import { resolveSchedule } from '../lib/contracts/plan.ts';
import { openControlSource } from '../lib/engine/checkpoint/control-source.ts';
import { openModel } from '../lib/engine/checkpoint/model-source.ts';
import { buildControlNetStages } from '../lib/engine/networks/controlnet/build.ts';
import { parseControlNetConfig } from '../lib/engine/networks/controlnet/config.ts';
import { parseUnetConfig } from '../lib/engine/networks/unet/config.ts';
import { buildUnetStages } from '../lib/engine/networks/unet/stages.ts';
import type { Graph } from '../lib/engine/onnx/graph.ts';
import { countMacs } from '../lib/engine/onnx/macs.ts';
import { createRuntime } from '../lib/engine/runtime/runtime.ts';
import type { Session } from '../lib/engine/runtime/session.ts';
import { noiseSource } from '../lib/engine/tensor/random.ts';
import { float32, type Tensor } from '../lib/engine/tensor/tensor.ts';
import { inTurns, ratio, seconds, type Cost } from './measure.ts';
import { report, type Row } from './report.ts';
import { sd15Checkpoint, sd15ControlNet } from './sd15-checkpoint.ts';

const directory = fileURLToPath(new URL('.cache/packed-sd15', import.meta.url));
const rounds = 3;
const side = 64;

/**
 * One ControlNet beside Stable Diffusion 1.5 at 64 x 64 latents with guidance: what it saves that neither it nor the
 * encoder runs between key steps. Both runs have every exact saving; ratios are of processor time.
 */
export async function benchControl(log: (line: string) => void): Promise<void> {
  const unet = await (await openModel(await sd15Checkpoint(log))).network('unet');
  const control = await openControlSource(await sd15ControlNet(log));
  const size = { batch: 1, rows: 2, tokens: 77, height: side, width: side };
  const stages = buildUnetStages(parseUnetConfig(unet.config), {
    ...{ ...size, steps: 1, control: true, weights: unet.weights },
  });
  const guide = buildControlNetStages(parseControlNetConfig(control.config), {
    ...size,
    weights: control.weights,
  });
  const graphs = {
    hint: guide.prompt,
    control: guide.encoder,
    encoder: stages.encoder,
    decoder: stages.decoder,
  };

  const runtime = await createRuntime({ device: 'cpu', cache: { directory, budgetBytes: 100e9 } });
  const sessions: Session[] = [];
  const given = inputs();
  const open = async (graph: Graph, known: Record<string, Tensor>) => {
    log(`opening ${graph.name}`);
    const session = await runtime.open(graph);
    sessions.push(session);
    const feeds = Object.fromEntries(session.inputs.map(({ name }) => [name, known[name]!]));
    return () => session.run(feeds);
  };
  const hint = await open(graphs.hint, given);
  const controlCall = await open(graphs.control, { ...given, ...(await hint()) });
  const residuals = residualsOf(await controlCall());
  const constant = { ...given, ...residuals, ...(await (await open(stages.prompt, given))()) };
  const encoder = await open(graphs.encoder, constant);
  const decoder = await open(graphs.decoder, { ...constant, ...(await encoder()) });
  const cost = await inTurns({ hint, control: controlCall, encoder, decoder }, rounds, log);
  for (const session of sessions) await session.dispose();
  await runtime.dispose();

  const shown = ({ wall, cpu }: Cost) => `${seconds(wall)} (${seconds(cpu)} of processor)`;
  const macs = (graph: Graph) => `${(countMacs(graph) / 1e9).toFixed(1)} G multiply-accumulates`;
  const rows: Row[] = [
    ['control picture, embedded once per run', shown(cost.hint), macs(graphs.hint)],
    ['ControlNet, one key step', shown(cost.control), macs(graphs.control)],
    ['encoder with residuals, one key step', shown(cost.encoder), macs(graphs.encoder)],
    ['decoder, one step', shown(cost.decoder), macs(graphs.decoder)],
  ];
  for (const steps of [20, 50]) {
    const keys = resolveSchedule('faster', steps).keySteps.length;
    const time = (of: (name: keyof typeof graphs) => number) => {
      const run = (encoderRuns: number) =>
        of('hint') + encoderRuns * (of('control') + of('encoder')) + steps * of('decoder');
      return run(steps) / run(keys);
    };
    rows.push(
      [
        `UNet and ControlNet time of ${steps} steps, exact / faster, projected`,
        ratio(time((name) => cost[name].cpu)),
        `${keys} runs of the ControlNet, ${steps - keys} saved`,
      ],
      [`the same by multiply-accumulates`, ratio(time((name) => countMacs(graphs[name])))],
    );
  }
  rows.push(['ratios', 'of processor time', 'other work on the machine falls on the wall clock alone']);
  await report(
    'npm run bench -- control',
    'One ControlNet beside Stable Diffusion 1.5, 512 x 512, float32, guidance',
    rows,
  );
}

function inputs(): Record<string, Tensor> {
  const noise = noiseSource('philox', 0);
  const time = float32([1], Float32Array.of(500));
  return {
    sample: noise.normal([1, 4, side, side]),
    encoder_hidden_states: noise.normal([2, 77, 768]),
    timestep: time,
    timesteps: time,
    controlnet_cond: noise.normal([1, 3, 8 * side, 8 * side]),
    conditioning_scale: float32([1], Float32Array.of(1)),
  };
}

/** Outputs of the ControlNet under the names that the encoder reads them by. */
function residualsOf(outputs: Record<string, Tensor>): Record<string, Tensor> {
  const renamed = Object.entries(outputs).map(([name, value]) => {
    if (name === 'mid_block_res_sample') return ['mid_block_additional_residual', value] as const;
    return [name.replace('down_block_res_samples', 'down_block_additional_residuals'), value] as const;
  });
  return Object.fromEntries(renamed);
}
