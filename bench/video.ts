import { resolveSchedule } from '../lib/contracts/plan.ts';
import { openModel } from '../lib/engine/checkpoint/model-source.ts';
import { parseUnetConfig } from '../lib/engine/networks/unet/config.ts';
import { buildUnetStages } from '../lib/engine/networks/unet/stages.ts';
import type { UnetStages } from '../lib/engine/networks/unet/stages.ts';
import type { Graph } from '../lib/engine/onnx/graph.ts';
import { countMacs } from '../lib/engine/onnx/macs.ts';
import { activationBytes } from '../lib/engine/runtime/graph-memory.ts';
import { bytesPerElement, sizeOf } from '../lib/engine/tensor/tensor.ts';
import { gigabytes, inTurns, ratio, shown } from './measure.ts';
import { report, type Row } from './report.ts';
import { counted, sd15Inputs, side, withCalls } from './sd15-calls.ts';
import { sd15Checkpoint } from './sd15-checkpoint.ts';

const rounds = 2;
const frames = 8;
/** Text2Video-Zero at 50 steps: two steps to t1 and three to t0 of the first frame alone, then 48 of all frames. */
const alone = 5;
const together = 48;

/**
 * A video by Text2Video-Zero with Stable Diffusion 1.5 at 64 x 64 latents and guidance, one frame to a call as a CPU draws
 * it. Both runs have every exact saving; ratios are of processor time.
 */
export async function benchVideo(log: (line: string) => void): Promise<void> {
  const { config, weights } = await (await openModel(await sd15Checkpoint(log))).network('unet');
  const build = (crossFrame: 'first' | 'rest') =>
    buildUnetStages(parseUnetConfig(config), {
      ...{ batch: 1, rows: 2, tokens: 77, height: side, width: side, steps: 1, control: false, weights },
      frames: { count: 1, crossFrame },
    });
  const stages = { first: build('first'), rest: build('rest') };

  const cost = await withCalls(log, async (open) => {
    const given = sd15Inputs();
    const constant = { ...given, ...(await (await open(stages.first.prompt, given))()) };
    const firstEncoder = await open(stages.first.encoder, constant);
    const features = await firstEncoder();
    const firstDecoder = await open(stages.first.decoder, { ...constant, ...features });
    // A decoder writes a `sample`, too.
    const keys = { ...constant, ...features, ...(await firstDecoder()), sample: given['sample']! };
    const restEncoder = await open(stages.rest.encoder, keys);
    const restDecoder = await open(stages.rest.decoder, { ...keys, ...(await restEncoder()) });
    return inTurns({ firstEncoder, firstDecoder, restEncoder, restDecoder }, rounds, log);
  });

  const macs = (role: keyof typeof stages, part: 'encoder' | 'decoder') => countMacs(stages[role][part]);
  const run = (of: (role: keyof typeof stages, part: 'encoder' | 'decoder') => number, keySteps: number) => {
    const all = (part: 'encoder' | 'decoder') => of('first', part) + (frames - 1) * of('rest', part);
    return (
      alone * (of('first', 'encoder') + of('first', 'decoder')) +
      keySteps * all('encoder') +
      together * all('decoder')
    );
  };
  const speedUp = (of: (role: keyof typeof stages, part: 'encoder' | 'decoder') => number) =>
    run(of, together) / run(of, resolveSchedule('faster', together).keySteps.length);
  const measured = {
    first: { encoder: cost.firstEncoder, decoder: cost.firstDecoder },
    rest: { encoder: cost.restEncoder, decoder: cost.restDecoder },
  };
  const rows: Row[] = [
    ['encoder, first frame', shown(cost.firstEncoder), counted(macs('first', 'encoder'))],
    ['decoder, first frame', shown(cost.firstDecoder), counted(macs('first', 'decoder'))],
    ['encoder, another frame', shown(cost.restEncoder), counted(macs('rest', 'encoder'))],
    ['decoder, another frame', shown(cost.restDecoder), counted(macs('rest', 'decoder'))],
    [
      `UNet time of ${frames} frames, 50 steps, exact / faster, projected`,
      ratio(speedUp((role, part) => measured[role][part].cpu)),
      'nine key steps of the last 48; the first five steps are exact in both',
    ],
    ['the same by multiply-accumulates', ratio(speedUp(macs))],
    ...memory(stages),
  ];
  await report(
    'npm run bench -- video',
    'Text2Video-Zero with Stable Diffusion 1.5, 512 x 512, float32, guidance',
    rows,
  );
}

/** What a span of a long video needs: every frame's features, the first one's keys, and one call's own values. */
function memory({ first, rest }: { first: UnetStages; rest: UnetStages }): Row[] {
  const bytes = (graph: Graph, wanted: (name: string) => boolean) =>
    graph.outputs
      .filter(({ name }) => wanted(name))
      .reduce((sum, { value }) => sum + sizeOf(value.shape) * bytesPerElement[value.dtype], 0);
  const isKeys = (name: string) => /\.attn1\.(key|value)$/.test(name);
  const features = bytes(rest.encoder, () => true);
  const keys = bytes(first.encoder, isKeys) + bytes(first.decoder, isKeys);
  const call = Math.max(
    ...[first, rest].flatMap(({ encoder, decoder }) => [encoder, decoder].map(activationBytes)),
  );
  const long = 24;
  return [
    ['features of one frame, kept over a span', gigabytes(features), 'both halves of guidance'],
    ["keys and values of the first frame's step", gigabytes(keys)],
    ['most values of one call', gigabytes(call), 'one frame, one step'],
    [`a video of ${long} frames`, gigabytes(long * features + keys + call), 'all of these together'],
  ];
}
