import { createInterface } from 'node:readline';
import { openModel } from '../lib/engine/checkpoint/model-source.ts';
import { parseUnetConfig } from '../lib/engine/networks/unet/config.ts';
import { UnetDenoiser } from '../lib/engine/networks/unet/denoiser.ts';
import { createRuntime } from '../lib/engine/runtime/runtime.ts';
import { noiseSource } from '../lib/engine/tensor/random.ts';
import { timed } from './measure.ts';
import { packedSd15 } from './sd15-calls.ts';
import { sd15Checkpoint } from './sd15-checkpoint.ts';

// Started by compare.py: one full step of Stable Diffusion 1.5 with guidance for every line of stdin, its cost as JSON.

const model = await sd15Checkpoint((line) => process.stderr.write(`${line}\n`));
const network = await (await openModel(model)).network('unet');
const config = parseUnetConfig(network.config);
const runtime = await createRuntime({ device: 'cpu', cache: packedSd15 });
const denoiser = new UnetDenoiser(config, network.weights, (graph) => runtime.open(graph));
const noise = noiseSource('philox', 0);
const latents = noise.normal([1, config.inChannels, 64, 64]);
const prepared = await denoiser.prepare({ encoderHiddenStates: noise.normal([2, 77, config.textWidth]) });
const step = async () => denoiser.decode(await denoiser.encode(latents, 500, prepared), [500], prepared);
await step();
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'step') continue;
  const { wall, cpu } = await timed(step);
  process.stdout.write(`${JSON.stringify({ wall, cpu })}\n`);
}
