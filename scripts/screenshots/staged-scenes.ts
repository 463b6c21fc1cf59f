import { setTimeout as sleep } from 'node:timers/promises';
import { seedHistory } from '../../bench/seed-history.ts';
import type { Generation } from '../../lib/contracts/generation.ts';
import type { Installation } from '../../lib/contracts/models.ts';
import { openStudio, readEnv } from '../../lib/studio/services/index.ts';
import { Stack } from '../../test/e2e/support/stack.ts';
import { darkToo, wideOnly, type Camera } from './camera.ts';
import type { Made } from './pictures.ts';

const ENTRIES = 50_000;

/** While the queue is paused, and while one is drawn and others wait. */
export async function takeQueue(camera: Camera, stack: Stack): Promise<void> {
  if (!camera.wants('create-paused', 'queue-paused', 'create-busy', 'queue')) return;
  const ask = (prompt: string, more = {}) =>
    stack.call<Generation>('POST', '/generations', { task: 'text-to-image', prompt, ...more });
  await stack.call('POST', '/queue/pause');
  // Long enough on any machine for what is taken of it.
  const long = await ask('a dragon in the sky', { steps: 1000, plan: 'exact', width: 192, height: 128 });
  for (const prompt of ['a frog in a room', 'a unicorn in a meadow', 'a cupcake on a pink background']) {
    await ask(prompt);
  }
  await camera.take(
    stack,
    { name: 'create-paused', path: '/', views: wideOnly },
    { name: 'queue-paused', path: '/queue', views: wideOnly },
  );
  await stack.call('POST', '/queue/resume');
  await camera.take(
    stack,
    {
      name: 'create-busy',
      views: darkToo,
      path: '/',
      prepare: (page) => page.getByRole('img', { name: 'The picture so far' }).waitFor(),
    },
    {
      name: 'queue',
      path: '/queue',
      prepare: (page) => page.getByRole('progressbar').waitFor(),
      views: darkToo,
    },
  );
  await stack.call('POST', `/generations/${long.id}/cancel`);
  while ((await stack.call<{ queued: unknown[] }>('GET', '/queue')).queued.length > 0) await sleep(200);
}

/** What is on its way from a hub, what was stopped, and what the hub does not have; a file that is not there at all. */
export async function takeInstalls(camera: Camera, stack: Stack, hub: { pauseMs: number }): Promise<void> {
  if (!camera.wants('models-adding', 'models-paused')) return;
  const install = (repo: string, file?: string) =>
    stack.call<Installation>('POST', '/models/install', { repo, file });
  await install('someone/nothing');
  hub.pauseMs = 400;
  const { id } = await install('someone/charcoal', 'charcoal.safetensors');
  const stateOf = () => stack.call<Installation>('GET', `/models/installs/${id}`);
  while ((await stateOf()).bytesDone === 0) await sleep(100);
  await camera.take(stack, {
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
  await camera.take(stack, {
    name: 'models-paused',
    path: '/models',
    views: wideOnly,
    prepare: (page) => page.getByText('Paused').waitFor(),
  });
}

/** A history of years, from the pictures that were made. */
export async function takeMany(camera: Camera, { all }: Made, url: string): Promise<void> {
  if (!camera.wants('library-many')) return;
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
    await camera.take(stack, {
      name: 'library-many',
      views: wideOnly,
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
export async function takeLocked(camera: Camera): Promise<void> {
  if (!camera.wants('locked')) return;
  const stack = await Stack.start({ ENCORE_TOKEN: 'a-token-for-pictures-of-the-pages' });
  try {
    await camera.take(stack, {
      name: 'locked',
      path: '/',
      prepare: (page) => page.getByRole('dialog', { name: 'This studio is locked' }).waitFor(),
    });
  } finally {
    await stack.close();
  }
}

/** Where nothing can be made until it is started again. */
export async function takeWithoutWorker(camera: Camera, stack: Stack): Promise<void> {
  if (!camera.wants('no-worker')) return;
  await stack.stop('worker');
  await camera.take(stack, {
    name: 'no-worker',
    views: wideOnly,
    path: '/queue',
    prepare: (page) => page.getByText('The worker is not running').first().waitFor(),
  });
}
