/**
 * `npx tsx scripts/screenshots.ts [folder]`: pictures of every page for docs/screenshots, from a studio of its own with the
 * bundled model. Needs built pages (`npm start` or `npx next build`) and a browser.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import type { Generation } from '../lib/contracts/generation.ts';
import { DESKTOP, launch, openWindow, PHONE, visit } from '../test/e2e/support/browser.ts';
import { Stack } from '../test/e2e/support/stack.ts';
import { safetensors } from '../test/support/safetensors.ts';

const folder = process.argv[2] ?? 'docs/screenshots';

const sentences = [
  'a fox in a meadow',
  'a rocket in space',
  'a penguin in the snow',
  'a castle in the mountains at sunset',
  'a robot on the beach at sunset',
  'a mushroom in the forest',
  'a car on a city street at night',
  'a turtle under water',
  'a sunflower in a meadow',
  'a dragon in the sky',
  'a pumpkin on a purple background',
  'a sailboat on the sea at sunset',
  'an owl in the forest at night',
  'a strawberry on a white background',
  'a cactus in the desert',
  'a snowman in the snow at night',
];

interface Shot {
  name: string;
  path: string;
  phone?: boolean;
  dark?: boolean;
  /** Brings the page into the state that is to be seen. */
  prepare?: (page: Page) => Promise<void>;
}

async function shoot(
  browser: Browser,
  stack: Stack,
  { name, path, phone, dark, prepare }: Shot,
): Promise<void> {
  const { context, page } = await openWindow(browser, {
    viewport: phone ? PHONE : DESKTOP,
    colorScheme: dark ? 'dark' : 'light',
  });
  await visit(page, stack.url + path);
  await page.waitForTimeout(700);
  await page.waitForFunction(() =>
    [...document.images].every((image) => {
      const { top, bottom, left } = image.getBoundingClientRect();
      const isInSight = bottom > 0 && top < window.innerHeight && left < window.innerWidth;
      return image.complete || !isInSight;
    }),
  );
  await page.waitForFunction(() =>
    [...document.querySelectorAll('video')].every((video) => video.readyState > 1),
  );
  await prepare?.(page);
  const png = await page.screenshot();
  await writeFile(join(folder, `${name}.webp`), await sharp(png).webp({ quality: 88 }).toBuffer());
  console.log(`${name}.webp`);
  await context.close();
}

/** A file as LoRA training writes it, with nothing in it, so that the Models page has one to show. */
async function addLora(stack: Stack): Promise<void> {
  const block = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
  await safetensors(
    join(stack.home, 'models', 'pencil-sketch.safetensors'),
    { [`${block}.lora_down.weight`]: [4, 32], [`${block}.lora_up.weight`]: [32, 4], [`${block}.alpha`]: [] },
    {
      'modelspec.trigger_phrase': 'pencil sketch',
      'modelspec.license': 'MIT',
      ss_base_model_version: 'sd_v1',
    },
  );
}

async function main(): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Nothing answers at this hub, so that it is seen what is said then.
  const [stack, browser] = await Promise.all([Stack.start({ ENCORE_HUB: 'http://127.0.0.1:9' }), launch()]);
  try {
    await shoot(browser, stack, { name: 'create-first', path: '/' });
    await shoot(browser, stack, { name: 'create-first-phone', path: '/', phone: true });

    const made: Generation[] = [];
    for (const [index, prompt] of sentences.entries()) {
      made.push(await stack.make({ prompt, seed: index + 1, count: index === 8 ? 4 : 1 }));
    }
    const newest = made.at(-1);
    const [fox, rocket] = made;
    if (newest === undefined || fox === undefined || rocket === undefined)
      throw new Error('nothing was made');
    const { id: board } = await stack.call<{ id: string }>('POST', '/boards', { name: 'Seaside' });
    const seaside = made.filter(({ params }) => /sea|beach|water/.test(params.prompt)).map(({ id }) => id);
    await stack.call('POST', '/generations/bulk', { action: 'move', ids: seaside, boardId: board });
    await stack.call('POST', '/boards', { name: 'For the nursery' });
    const loved = made.filter(({ params }) => /fox|owl/.test(params.prompt)).map(({ id }) => id);
    await stack.call('POST', '/generations/bulk', { action: 'star', ids: loved });
    const exact = await stack.call<Generation>('POST', `/generations/${fox.id}/verify`);
    while ((await stack.call<Generation>('GET', `/generations/${exact.id}`)).status !== 'succeeded') {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }

    const castle = made[3];
    const redrawn = await stack.make({
      task: 'image-to-image',
      prompt: 'a castle in the mountains at night',
      image: castle?.assets[0]?.id,
      strength: 0.7,
      seed: 5,
    });
    const video = await stack.make({
      task: 'text-to-video',
      prompt: 'a sailboat on the sea at sunset',
      seed: 12,
      video: { frames: 8, fps: 4 },
    });
    await addLora(stack);

    for (const dark of [false, true]) {
      const suffix = dark ? '-dark' : '';
      await shoot(browser, stack, { name: `create${suffix}`, path: '/', dark });
      await shoot(browser, stack, { name: `library${suffix}`, path: '/library', dark });
      await shoot(browser, stack, { name: `picture${suffix}`, path: `/library/${rocket.id}`, dark });
      await shoot(browser, stack, {
        name: `compare${suffix}`,
        path: `/compare?a=${fox.id}&b=${exact.id}`,
        dark,
      });
    }
    await shoot(browser, stack, {
      name: 'create-details',
      path: '/',
      prepare: async (page) => {
        await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('a zeppelin in the sky');
        await page.getByRole('button', { name: 'Details' }).click();
        await page.getByRole('slider').hover({ position: { x: 120, y: 12 } });
        await page.waitForTimeout(500);
      },
    });
    await shoot(browser, stack, {
      name: 'shortcuts',
      path: '/',
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
        await page.getByRole('dialog').waitFor();
        await page.waitForTimeout(300);
      },
    });
    await shoot(browser, stack, {
      name: 'library-selected',
      path: '/library',
      prepare: async (page) => {
        for (const index of [1, 2]) {
          await page.getByRole('checkbox').nth(index).click({ force: true });
        }
        await page.waitForTimeout(300);
      },
    });
    await shoot(browser, stack, {
      name: 'library-filters',
      path: '/library?when=week&task=image-to-image',
    });
    await shoot(browser, stack, { name: 'picture-from-picture', path: `/library/${redrawn.id}` });
    await shoot(browser, stack, { name: 'picture-video', path: `/library/${video.id}` });
    await stack.call('POST', '/models/install', { repo: 'someone/charcoal' });
    await shoot(browser, stack, {
      name: 'models',
      path: '/models',
      prepare: async (page) => {
        await page.getByText('This did not work').waitFor();
      },
    });
    for (const [name, path] of [
      ['settings', '/settings'],
      ['reference', '/reference'],
      ['problem', '/problems/queue_full'],
    ] as const) {
      await shoot(browser, stack, { name, path });
    }

    const damaged = await stack.addDamagedModel();
    await stack.make({ prompt: 'a dog in a room', model: damaged });
    await shoot(browser, stack, {
      name: 'create-failed',
      path: '/',
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Copy details' }).waitFor();
      },
    });

    await stack.call('POST', '/generations', {
      task: 'text-to-image',
      prompt: 'a dragon in the sky',
      steps: 1000,
      plan: 'exact',
    });
    for (const prompt of ['a frog in a room', 'a unicorn in a meadow', 'a cupcake on a pink background']) {
      await stack.call('POST', '/generations', { task: 'text-to-image', prompt });
    }
    await shoot(browser, stack, { name: 'create-busy', path: '/' });
    await shoot(browser, stack, { name: 'queue', path: '/queue' });
    await shoot(browser, stack, { name: 'queue-phone', path: '/queue', phone: true });
    for (const { id } of (await stack.call<{ running: Generation[] }>('GET', '/queue')).running) {
      await stack.call('POST', `/generations/${id}/cancel`);
    }
    for (const [name, path] of [
      ['create-phone', '/'],
      ['library-phone', '/library'],
      ['picture-phone', `/library/${rocket.id}`],
      ['compare-phone', `/compare?a=${fox.id}&b=${exact.id}`],
      ['models-phone', '/models'],
      ['settings-phone', '/settings'],
      ['reference-phone', '/reference'],
    ] as const) {
      await shoot(browser, stack, { name, path, phone: true, dark: name === 'picture-phone' });
    }
  } finally {
    await browser.close();
    await stack.close();
  }
}

await main();
