import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openLora } from '../lib/engine/checkpoint/lora/open.ts';
import { openModel } from '../lib/engine/checkpoint/model-source.ts';
import { writeSafetensors } from '../lib/engine/checkpoint/safetensors.ts';
import type { WeightSource } from '../lib/engine/checkpoint/weight-source.ts';
import { parseUnetConfig } from '../lib/engine/networks/unet/config.ts';
import { buildUnetStages } from '../lib/engine/networks/unet/stages.ts';
import { createRuntime } from '../lib/engine/runtime/runtime.ts';
import { adapt } from '../lib/engine/tasks/adapters.ts';
import { noiseSource } from '../lib/engine/tensor/random.ts';
import type { Tensor } from '../lib/engine/tensor/tensor.ts';
import { shown, timed } from './measure.ts';
import { report, type Row } from './report.ts';
import { side } from './sd15-calls.ts';
import { sd15Checkpoint } from './sd15-checkpoint.ts';

const cache = fileURLToPath(new URL('.cache', import.meta.url));
const rank = 16;

/**
 * What a LoRA over every attention of Stable Diffusion 1.5's UNet costs when it is opened, and when its weight is changed,
 * on the encoder. Packed graphs are made in a folder of their own.
 */
export async function benchLora(log: (line: string) => void): Promise<void> {
  const model = await openModel(await sd15Checkpoint(log));
  const { config, weights } = await model.network('unet');
  const networks = { unet: weights, text_encoder: (await model.network('text_encoder')).weights };
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(`${cache}/lora-`);
  try {
    const file = `${folder}/attention.safetensors`;
    await writeSafetensors(file, loraTensors(weights));
    const lora = await openLora(file);
    const size = { batch: 1, rows: 2, tokens: 77, height: side, width: side, steps: 1, control: false };
    const { encoder } = buildUnetStages(parseUnetConfig(config), { ...size, weights });
    const rows: Row[] = [];
    for (const [what, weight] of [
      ['without a LoRA, packed', 0],
      ['the same, packed before', 0],
      ['with a LoRA, packed', 1],
      ['the same, packed before', 1],
      ['with another weight, packed', 0.5],
    ] as const) {
      const runtime = await createRuntime({
        device: 'cpu',
        cache: { directory: `${folder}/packed`, budgetBytes: 100e9 },
      });
      const adapted = adapt([{ lora, weight }], networks, 'sd15');
      const open = adapted.open('unet', (graph, hints) => runtime.open(graph, hints));
      const cost = await timed(async () => (await open(encoder)).dispose());
      await runtime.dispose();
      log(`${what}: ${shown(cost)}`);
      rows.push([what, shown(cost)]);
    }
    await report('npm run bench -- lora', 'Opening the encoder of Stable Diffusion 1.5 with a LoRA', rows);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Of every attention's projections, in kohya's spelling. */
function loraTensors(weights: WeightSource): Record<string, Tensor> {
  const noise = noiseSource('philox', 0);
  const tensors: Record<string, Tensor> = {};
  for (const name of weights.names()) {
    const layer = /^(.+\.attn[12]\.to_(?:q|k|v|out\.0))\.weight$/.exec(name)?.[1];
    if (layer === undefined) continue;
    const [out = 0, from = 0] = weights.get(name).shape;
    const key = `lora_unet_${layer.replaceAll('.', '_')}`;
    tensors[`${key}.lora_down.weight`] = noise.normal([rank, from]);
    tensors[`${key}.lora_up.weight`] = noise.normal([out, rank]);
  }
  return tensors;
}
