/**
 * `npx tsx scripts/screenshots.ts [folder] [name ...]`: every page in every state, wide and narrow, light and dark, for
 * docs/screenshots, from a studio of its own with the bundled model. With names only those scenes that begin so. Needs
 * built pages (`npm start` or `npx next build`) and a browser.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seedHistory } from '../bench/seed-history.ts';
import type { Generation } from '../lib/contracts/generation.ts';
import type { Installation } from '../lib/contracts/models.ts';
import { openStudio, readEnv } from '../lib/studio/services/index.ts';
import { launch } from '../test/e2e/support/browser.ts';
import { Stack } from '../test/e2e/support/stack.ts';
import { startHub } from '../test/support/hub-server.ts';
import { safetensorsBytes } from '../test/support/safetensors.ts';
import { Camera } from './screenshots/camera.ts';
import { createScenes, firstScenes } from './screenshots/create-scenes.ts';
import { emptyScenes, libraryScenes, otherScenes } from './screenshots/page-scenes.ts';
import { fill, type Made } from './screenshots/pictures.ts';

const [folder = 'docs/screenshots', ...wanted] = process.argv.slice(2);
const ENTRIES = 50_000;

/** While the queue is paused, and while one is drawn and others wait. */
async function takeQueue(camera: Camera, stack: Stack): Promise<void> {
  const ask = (prompt: string, more = {}) =>
    stack.call<Generation>('POST', '/generations', { task: 'text-to-image', prompt, ...more });
  await stack.call('POST', '/queue/pause');
  const long = await ask('a dragon in the sky', { steps: 1000, plan: 'exact' });
  for (const prompt of ['a frog in a room', 'a unicorn in a meadow', 'a cupcake on a pink background']) {
    await ask(prompt);
  }
  await camera.take(
    stack.url,
    { name: 'create-paused', path: '/' },
    { name: 'queue-paused', path: '/queue' },
  );
  await stack.call('POST', '/queue/resume');
  await camera.take(
    stack.url,
    {
      name: 'create-busy',
      path: '/',
      prepare: (page) => page.getByRole('img', { name: 'The picture so far' }).waitFor(),
    },
    { name: 'queue', path: '/queue', prepare: (page) => page.getByRole('progressbar').waitFor() },
  );
  await stack.call('POST', `/generations/${long.id}/cancel`);
  while ((await stack.call<{ queued: unknown[] }>('GET', '/queue')).queued.length > 0) await sleep(200);
}

/** What is on its way from a hub, what was stopped, and what the hub does not have; a file that is not there at all. */
async function takeInstalls(camera: Camera, stack: Stack, hub: { pauseMs: number }): Promise<void> {
  const install = (repo: string, file?: string) =>
    stack.call<Installation>('POST', '/models/install', { repo, file });
  await install('someone/nothing');
  hub.pauseMs = 400;
  const { id } = await install('someone/charcoal', 'charcoal.safetensors');
  const stateOf = () => stack.call<Installation>('GET', `/models/installs/${id}`);
  while ((await stateOf()).bytesDone === 0) await sleep(100);
  await camera.take(stack.url, {
    name: 'models-adding',
    path: '/models',
    prepare: async (page) => {
      await page.getByText('This did not work').waitFor();
      await page.getByRole('textbox', { name: 'Folder or file' }).fill('/models/old.ckpt');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('alert').filter({ hasText: 'old.ckpt' }).waitFor();
    },
  });
  await stack.call('POST', `/models/installs/${id}/pause`);
  while ((await stateOf()).status !== 'paused') await sleep(100);
  await camera.take(stack.url, {
    name: 'models-paused',
    path: '/models',
    prepare: (page) => page.getByText('Paused').waitFor(),
  });
}

/** A history of years, from the pictures that were made. */
async function takeMany(camera: Camera, { all }: Made, url: string): Promise<void> {
  const files = await Promise.all(
    all.flatMap(({ assets }) => assets).map(async (asset) => (await fetch(url + asset.url)).arrayBuffer()),
  );
  const stack = await Stack.start(
    {},
    {
      seed: async (home) => {
        const studio = openStudio({ ...readEnv(), home });
        const pictures = [];
        for (const file of files) pictures.push(await studio.assets.put(Buffer.from(file), 'image/png'));
        await seedHistory(studio, {
          entries: ENTRIES,
          from: new Date(Date.now() - ENTRIES * 60_000),
          pictures,
        });
        await studio.close();
      },
    },
  );
  try {
    await camera.take(stack.url, {
      name: 'library-many',
      path: '/library',
      prepare: async (page) => {
        await page.getByText('50,000 entries').waitFor();
        await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight / 2));
        await page.waitForFunction(() => {
          const tiles = [...document.querySelectorAll('main [data-index]')];
          return tiles.length > 10 && tiles.every((tile) => tile.querySelector('img, svg') !== null);
        });
      },
    });
  } finally {
    await stack.close();
  }
}

/** Where the studio was started with a token. */
async function takeLocked(camera: Camera): Promise<void> {
  const stack = await Stack.start({ ENCORE_TOKEN: 'a-token-for-pictures-of-the-pages' });
  try {
    await camera.take(stack.url, {
      name: 'locked',
      path: '/',
      prepare: (page) => page.getByRole('dialog', { name: 'This studio is locked' }).waitFor(),
    });
  } finally {
    await stack.close();
  }
}

async function main(): Promise<void> {
  await mkdir(folder, { recursive: true });
  const started = Date.now();
  const block = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
  const hub = await startHub('someone/charcoal', {
    'charcoal.safetensors': safetensorsBytes({
      [`${block}.lora_down.weight`]: [4, 1_000_000],
      [`${block}.lora_up.weight`]: [1_000_000, 4],
    }),
  });
  const [stack, browser] = await Promise.all([Stack.start({ ENCORE_HUB: hub.address }), launch()]);
  const camera = new Camera(browser, folder, wanted);
  try {
    await camera.take(stack.url, ...firstScenes, ...emptyScenes);
    const made = await fill(stack);
    await camera.take(stack.url, ...createScenes(made), ...libraryScenes(made), ...otherScenes);
    await takeQueue(camera, stack);
    await takeInstalls(camera, stack, hub);
    await takeMany(camera, made, stack.url);
    await takeLocked(camera);
    await stack.stop('worker');
    await camera.take(stack.url, {
      name: 'no-worker',
      path: '/queue',
      prepare: (page) => page.getByText('The worker is not running').first().waitFor(),
    });
  } finally {
    await browser.close();
    await stack.close();
    hub.close();
  }
  const seconds = Math.round((Date.now() - started) / 1000);
  // Scenes that there are no longer.
  if (wanted.length === 0 && camera.faults.length === 0) {
    for (const name of await readdir(folder)) {
      if (name.endsWith('.webp') && !camera.taken.has(name)) await rm(join(folder, name));
    }
  }
  console.log(`${camera.taken.size} pictures, ${(camera.bytes / 1e6).toFixed(1)} MB, ${seconds} s`);
  if (camera.faults.length > 0) process.exitCode = 1;
}

await main();
