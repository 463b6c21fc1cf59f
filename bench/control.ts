import { resolveSchedule } from '../lib/contracts/plan.ts';
import { openControlSource } from '../lib/engine/checkpoint/control-source.ts';
import { openModel } from '../lib/engine/checkpoint/model-source.ts';
import { buildControlNetStages } from '../lib/engine/networks/controlnet/build.ts';
import { parseControlNetConfig } from '../lib/engine/networks/controlnet/config.ts';
import { parseUnetConfig } from '../lib/engine/networks/unet/config.ts';
import { buildUnetStages } from '../lib/engine/networks/unet/stages.ts';
import type { Graph } from '../lib/engine/onnx/graph.ts';
import { countMacs } from '../lib/engine/onnx/macs.ts';
import type { Tensor } from '../lib/engine/tensor/tensor.ts';
import { inTurns, ratio, shown } from './measure.ts';
import { report, type Row } from './report.ts';
import { counted, sd15Inputs, side, withCalls } from './sd15-calls.ts';
import { sd15Checkpoint, sd15ControlNet } from './sd15-checkpoint.ts';

const rounds = 3;

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

  const cost = await withCalls(log, async (open) => {
    const given = sd15Inputs();
    const hint = await open(graphs.hint, given);
    const control = await open(graphs.control, { ...given, ...(await hint()) });
    const residuals = residualsOf(await control());
    const constant = { ...given, ...residuals, ...(await (await open(stages.prompt, given))()) };
    const encoder = await open(graphs.encoder, constant);
    const decoder = await open(graphs.decoder, { ...constant, ...(await encoder()) });
    return inTurns({ hint, control, encoder, decoder }, rounds, log);
  });

  const macs = (graph: Graph) => counted(countMacs(graph));
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

/** Outputs of the ControlNet under the names that the encoder reads them by. */
function residualsOf(outputs: Record<string, Tensor>): Record<string, Tensor> {
  const renamed = Object.entries(outputs).map(([name, value]) => {
    if (name === 'mid_block_res_sample') return ['mid_block_additional_residual', value] as const;
    return [name.replace('down_block_res_samples', 'down_block_additional_residuals'), value] as const;
  });
  return Object.fromEntries(renamed);
}
