/**
 * `npx tsx scripts/screenshots.ts [--all] [folder] [name ...]`: every page in every state for docs/screenshots, from a
 * studio of its own with the bundled model. With names only those scenes that begin so. Needs built pages (`npm start`
 * or `npx next build`) and a browser.
 *
 * A scene is taken wide and on a phone, in the light. What a reader sees first is taken in the dark, too; where a phone
 * shows the same in one column, it is left out. The rooms share every rule but their colours, and each further picture
 * is one more that nobody looks at. `--all` takes all four of each scene, to look at after a change.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Stack } from '../test/e2e/support/stack.ts';
import { startHub } from '../test/support/hub-server.ts';
import { safetensorsBytes } from '../test/support/safetensors.ts';
import { Camera } from './screenshots/camera.ts';
import { createScenes, firstScenes } from './screenshots/create-scenes.ts';
import { emptyScenes, libraryScenes, otherScenes } from './screenshots/page-scenes.ts';
import { fill } from './screenshots/pictures.ts';
import {
  takeInstalls,
  takeLocked,
  takeMany,
  takeQueue,
  takeWithoutWorker,
} from './screenshots/staged-scenes.ts';

const { values, positionals } = parseArgs({
  options: { all: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [folder = 'docs/screenshots', ...wanted] = positionals;

/** A LoRA large enough to be seen on its way. */
function charcoal(): Buffer {
  const block = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
  return safetensorsBytes({
    [`${block}.lora_down.weight`]: [4, 1_000_000],
    [`${block}.lora_up.weight`]: [1_000_000, 4],
  });
}

/** The scenes of one studio, from its first minute to the end of its worker. */
async function takeStudio(camera: Camera): Promise<void> {
  const hub = await startHub('someone/charcoal', { 'charcoal.safetensors': charcoal() });
  const stack = await Stack.start({ ENCORE_HUB: hub.address });
  try {
    await camera.take(stack, ...firstScenes, ...emptyScenes);
    const made = await fill(stack);
    await camera.take(stack, ...createScenes(made), ...libraryScenes(made), ...otherScenes);
    await camera.attempt('the queue', () => takeQueue(camera, stack));
    await camera.attempt('installing', () => takeInstalls(camera, stack, hub));
    await camera.attempt('a long history', () => takeMany(camera, made, stack.url));
    await camera.attempt('no worker', () => takeWithoutWorker(camera, stack));
  } finally {
    await stack.close();
    hub.close();
  }
}

const started = Date.now();
await mkdir(folder, { recursive: true });
const camera = new Camera(folder, wanted, values.all);
await camera.attempt('the studio', () => takeStudio(camera));
await camera.attempt('a locked studio', () => takeLocked(camera));
await camera.close();

// Scenes that there are no longer.
if (wanted.length === 0 && camera.faults.length === 0) {
  for (const name of await readdir(folder)) {
    if (name.endsWith('.webp') && !camera.taken.has(name)) await rm(join(folder, name));
  }
}
const seconds = Math.round((Date.now() - started) / 1000);
console.log(`${camera.taken.size} pictures, ${(camera.bytes / 1e6).toFixed(1)} MB, ${seconds} s`);
for (const fault of camera.faults) console.error(`Not taken: ${fault}`);
if (camera.faults.length > 0) process.exitCode = 1;
