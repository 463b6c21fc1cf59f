import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { seededPrompt, seedHistory } from '../../bench/seed-history.ts';
import { openStudio, readEnv } from '../../lib/studio/services/index.ts';
import { visit } from './support/browser.ts';
import { page, stack, useStudio, useWindow } from './support/suite.ts';

const ENTRIES = 50_000;
/** More than any window shows with the rows around it, far less than the history. */
const MOST_TILES = 160;
/** Whoever scrolls notices a page that stands still for longer. Generous, for machines that are busy. */
const LONGEST_BLOCK_MS = 700;

useStudio({}, { seed });
useWindow();

/** A history of real pictures, a few of them in turn; the newest is a minute old. */
async function seed(home: string): Promise<void> {
  const studio = openStudio({ ...readEnv(), home });
  try {
    const pictures = [];
    for (let i = 0; i < 12; i++) {
      const background = { r: i * 20, g: 120, b: 240 - i * 20 };
      const png = sharp({ create: { width: 128, height: 128, channels: 3, background } }).png();
      pictures.push(await studio.assets.put(await png.toBuffer(), 'image/png'));
    }
    await seedHistory(studio, {
      entries: ENTRIES,
      from: new Date(Date.now() - ENTRIES * 60_000),
      pictures,
    });
  } finally {
    await studio.close();
  }
}

interface Shown {
  /** Place in the list and name of each tile in the page, in the order of the page. */
  tiles: { index: number; name: string; isInSight: boolean }[];
  elements: number;
}

function shown(): Promise<Shown> {
  return page.evaluate(() => ({
    tiles: [...document.querySelectorAll<HTMLElement>('main [data-index]')].map((tile) => {
      const { top, bottom } = tile.getBoundingClientRect();
      return {
        index: Number(tile.dataset.index),
        name: tile.getAttribute('aria-label') ?? '',
        isInSight: bottom > 0 && top < window.innerHeight,
      };
    }),
    elements: document.querySelectorAll('*').length,
  }));
}

/** The entry that stands at a place of the unfiltered list, newest first, as its tile is called. */
function nameAt(index: number): string {
  const n = ENTRIES - 1 - index;
  const parts = [seededPrompt(n)];
  if (n % 20 === 0) parts.push('failed');
  if (n % 1000 === 7) parts.push('starred');
  return parts.join(', ');
}

/** Waits until every place in sight has its tile, then holds each against what must stand there. */
async function expectRight(): Promise<Shown> {
  const inSightOf = ({ tiles }: Shown) => tiles.filter(({ isInSight }) => isInSight);
  await expect
    .poll(async () => {
      const tiles = inSightOf(await shown());
      return tiles.length > 10 && tiles.every(({ name }) => !/on its way/.test(name));
    })
    .toBe(true);
  const now = await shown();
  const inSight = inSightOf(now);
  for (const { index, name } of inSight) expect(name).toBe(nameAt(index));
  const places = now.tiles.map(({ index }) => index);
  expect(places).toEqual(places.map((_, i) => (places[0] ?? 0) + i));
  expect(now.tiles.length).toBeLessThan(MOST_TILES);
  return now;
}

async function openLibrary(): Promise<void> {
  await visit(page, `${stack.url}/library`);
  await page.getByText('50,000 entries').waitFor();
}

const sheetHeight = () => page.evaluate(() => document.documentElement.scrollHeight);
const scrollTo = (top: number) => page.evaluate((y) => window.scrollTo(0, y), top);

describe(`a history of ${ENTRIES} entries`, () => {
  it('is as long as it is, and right wherever one goes', async () => {
    await openLibrary();
    await expectRight();
    const height = await sheetHeight();
    // Seven in a row of about 190 pixels.
    expect(height).toBeGreaterThan((ENTRIES / 7) * 180);
    let last = -1;
    for (const part of [0.13, 0.5, 0.77, 0.999]) {
      await scrollTo(height * part);
      const { tiles } = await expectRight();
      const middle = tiles[Math.floor(tiles.length / 2)]?.index ?? 0;
      expect(middle).toBeGreaterThan(last);
      expect(Math.abs(middle / ENTRIES - part)).toBeLessThan(0.02);
      last = middle;
    }
    await scrollTo(height * 0.3);
    await expectRight();
  });

  it('has its end one key away, and its beginning again', async () => {
    await openLibrary();
    await expectRight();
    await page.locator('[data-index="0"]').focus();
    await page.keyboard.press('End');
    await page.locator(`[data-index="${ENTRIES - 1}"]:focus`).waitFor();
    const { tiles } = await expectRight();
    expect(tiles.at(-1)).toMatchObject({ index: ENTRIES - 1, name: nameAt(ENTRIES - 1), isInSight: true });
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Home');
    await page.locator('[data-index="0"]:focus').waitFor();
    await expectRight();
  });

  it('scrolls without standing still, with no more in the page at its end than at its beginning', async () => {
    await openLibrary();
    const { elements } = await expectRight();
    await page.evaluate(() => {
      const blocks: number[] = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) blocks.push(entry.duration);
      }).observe({ type: 'longtask' });
      Object.assign(window, { blocks });
    });
    let most = 0;
    for (let i = 0; i < 40; i++) {
      await page.mouse.wheel(0, 1500);
      most = Math.max(most, (await shown()).elements);
    }
    expect(await page.evaluate(() => window.scrollY)).toBeGreaterThan(30_000);
    await expectRight();
    expect(most).toBeLessThan(elements * 2);
    const blocks = await page.evaluate(() => (window as unknown as { blocks: number[] }).blocks);
    expect(Math.max(0, ...blocks)).toBeLessThan(LONGEST_BLOCK_MS);
  });

  it('finds a few of them, and comes back to the place after looking at one', async () => {
    await openLibrary();
    await page.getByRole('searchbox', { name: 'Search in prompts' }).fill('number 31415,');
    await page.getByText('1 entry').waitFor();
    await page.getByRole('link', { name: seededPrompt(31_415) }).waitFor();
    await page.getByRole('searchbox', { name: 'Search in prompts' }).fill('');
    await page.getByRole('button', { name: 'Filters' }).click();
    await page.getByRole('combobox', { name: 'Model' }).waitFor();
    await page.getByRole('combobox', { name: 'State' }).selectOption('failed');
    await page.getByText('2,500 entries').waitFor();
    await page.getByRole('combobox', { name: 'State' }).selectOption('');
    await page.getByText('50,000 entries').waitFor();

    await scrollTo((await sheetHeight()) * 0.6);
    const { tiles } = await expectRight();
    const chosen = tiles.filter(({ isInSight }) => isInSight)[8];
    await page.locator(`[data-index="${chosen?.index}"]`).click();
    await page.waitForURL(/\/library\/[0-9a-f-]+$/);
    await page.getByRole('link', { name: 'Older picture' }).waitFor();
    await page.getByRole('link', { name: 'Older picture' }).click();
    const next = (chosen?.index ?? 0) + 1;
    await page.getByRole('heading', { name: seededPrompt(ENTRIES - 1 - next) }).waitFor();
    await page.getByRole('link', { name: 'Library' }).last().click();
    await page.locator(`[data-index="${next}"]`).waitFor();
    await expectRight();
    expect((await shown()).tiles.find(({ index }) => index === next)?.isInSight).toBe(true);
  });

  it('can be selected whole', async () => {
    await openLibrary();
    await expectRight();
    await page.locator('[data-index="0"]').focus();
    await page.keyboard.press('Control+a');
    const toolbar = page.getByRole('toolbar', { name: 'With the selected pictures' });
    await toolbar.getByText('50,000 selected').waitFor();
    await page.keyboard.press('Escape');
    await toolbar.waitFor({ state: 'detached' });
  });
});
