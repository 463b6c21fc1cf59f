import type { Page } from 'playwright-core';
import { everyView, wideOnly, type Scene } from './camera.ts';
import type { Made } from './pictures.ts';

const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt', exact: true });
const add = (page: Page, what: string) =>
  page.getByRole('group', { name: 'Add to the words' }).getByRole('button', { name: what }).click();
const recent = (page: Page, name: string | RegExp) =>
  page.getByRole('region', { name: 'Recent pictures' }).getByRole('button', { name }).first().click();
const details = (page: Page) => page.getByRole('button', { name: 'Details' }).click();

/** Before anything was made. */
export const firstScenes: Scene[] = [
  { name: 'create-empty', path: '/', views: everyView },
  {
    name: 'create-typing',
    path: '/',
    prepare: async (page) => {
      await prompt(page).fill('a zeppelin in the sky at sunset');
      await page.getByText(/was never shown/).waitFor();
    },
  },
];

/** Goes on from a finished picture, as its menu offers. */
async function goOn(page: Page, made: { id: string }, what: string): Promise<void> {
  await page.goto(new URL(`/library/${made.id}`, page.url()).href);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('menuitem', { name: what }).click();
  await page.waitForURL((url) => url.pathname === '/');
  await page
    .getByRole('region', { name: 'Start from this' })
    .or(page.getByText('Follow this'))
    .first()
    .waitFor();
}

/** Draws on the board, in fractions of its sides. */
async function draw(page: Page, points: [number, number][]): Promise<void> {
  const board = page.getByRole('application');
  await board.scrollIntoViewIfNeeded();
  // The page itself brings the table into view.
  await page.waitForTimeout(300);
  const box = await board.boundingBox();
  const [first, ...others] = points;
  if (box === null || first === undefined) throw new Error('There is nothing to draw on.');
  const at = ([x, y]: [number, number]): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(first));
  await page.mouse.down();
  for (const point of others) await page.mouse.move(...at(point), { steps: 2 });
  await page.mouse.up();
}

function arc(x: number, y: number, radius: number, from = 0, to = 2): [number, number][] {
  return Array.from({ length: 41 }, (_, i) => {
    const angle = (from + ((to - from) * i) / 40) * Math.PI;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
}

/** Every mode and result of the Create page. */
export function createScenes(made: Made): Scene[] {
  return [
    {
      name: 'create',
      views: everyView,
      path: '/',
      prepare: async (page) => {
        await prompt(page).fill('a fox in a meadow');
        await page.getByText(/encoder passes, \d+ saved/).waitFor();
      },
    },
    { name: 'create-batch', path: '/', prepare: (page) => recent(page, /4 pictures/) },
    {
      name: 'create-failed',
      path: '/',
      prepare: async (page) => {
        await recent(page, /failed/);
        await page.getByRole('button', { name: 'Copy details' }).waitFor();
      },
    },
    {
      name: 'create-video-result',
      path: '/',
      prepare: (page) => recent(page, /^a sailboat/),
      views: wideOnly,
    },
    {
      name: 'create-details',
      path: '/',
      prepare: async (page) => {
        await recent(page, /^a snowman/);
        await prompt(page).fill('a bunny in the snow, (blue:1.2) sky');
        await page.getByText('What is an encoder pass?').click();
        await details(page);
        await page.getByRole('textbox', { name: 'Steps' }).scrollIntoViewIfNeeded();
      },
    },
    {
      name: 'create-choice',
      views: wideOnly,
      path: '/',
      prepare: async (page) => {
        const file = await page.request.get(new URL(made.rocket.assets[0]?.url ?? '', page.url()).href);
        await page
          .locator('input[type=file]')
          .setInputFiles({ name: 'rocket.png', mimeType: 'image/png', buffer: await file.body() });
        await page.getByText(/Made with Encore/).waitFor();
      },
    },
    {
      name: 'create-redraw',
      views: wideOnly,
      path: '/',
      prepare: async (page) => {
        await goOn(page, made.rocket, 'Start from this picture');
        await prompt(page).fill('a rocket in the sky at sunset');
      },
    },
    {
      name: 'create-paint',
      path: '/',
      prepare: async (page) => {
        await goOn(page, made.fox, 'Draw a part anew');
        await prompt(page).fill('a cat in a meadow');
        await draw(page, arc(0.5, 0.55, 0.2));
        await draw(page, arc(0.5, 0.55, 0.12));
        await draw(page, arc(0.5, 0.55, 0.04));
      },
    },
    {
      name: 'create-extend',
      views: wideOnly,
      path: '/',
      prepare: async (page) => {
        await goOn(page, made.fox, 'Draw what lies around it');
        for (const [side, key] of [
          ['Right border', 'ArrowRight'],
          ['Left border', 'ArrowLeft'],
        ] as const) {
          for (let i = 0; i < 4; i++) await page.getByRole('slider', { name: side }).press(key);
        }
      },
    },
    {
      name: 'create-enlarge',
      path: '/',
      prepare: (page) => goOn(page, made.fox, 'Enlarge it'),
      views: wideOnly,
    },
    {
      name: 'create-draw',
      path: '/',
      prepare: async (page) => {
        await prompt(page).fill('a snowman in the snow');
        await add(page, 'Draw');
        await draw(page, arc(0.5, 0.3, 0.13));
        await draw(page, arc(0.5, 0.62, 0.22));
        await draw(page, arc(0.5, 0.32, 0.06, 0.1, 0.9));
      },
    },
    {
      name: 'create-reference',
      path: '/',
      prepare: async (page) => {
        await goOn(page, made.rocket, 'Use it as a reference');
        await prompt(page).fill('a rocket in space');
        await page.getByRole('img', { name: 'The lines that are followed' }).scrollIntoViewIfNeeded();
      },
    },
    {
      name: 'create-video',
      path: '/',
      prepare: async (page) => {
        await prompt(page).fill('a sailboat on the sea at sunset');
        await add(page, 'Video');
      },
    },
    {
      name: 'create-animatediff',
      views: wideOnly,
      path: '/',
      prepare: async (page) => {
        await prompt(page).fill('a whale on the sea');
        await add(page, 'Video');
        await page.getByRole('combobox', { name: 'Moved by' }).selectOption({ index: 1 });
      },
    },
    {
      name: 'create-lora',
      views: wideOnly,
      path: '/',
      prepare: async (page) => {
        await prompt(page).fill('a castle in the mountains');
        await add(page, 'LoRA');
        await page.getByRole('button', { name: 'Add a LoRA' }).click();
        await page.getByRole('menuitem', { name: /cyanotype/i }).click();
        await page.getByRole('menu').waitFor({ state: 'detached' });
      },
    },
    {
      name: 'shortcuts',
      views: wideOnly,
      path: '/',
      prepare: async (page) => {
        await page.getByRole('heading', { name: 'Create a picture' }).waitFor({ state: 'attached' });
        await page.locator('body').press('Escape');
        await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
        await page.keyboard.press('?');
        await page.getByRole('dialog').waitFor();
      },
    },
  ];
}
