import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Generation } from '../../lib/contracts/generation.ts';
import { probe, type Probed } from '../support/ffprobe.ts';
import { accessibilityFaults, DESKTOP, overflow, PHONE, visit } from './support/browser.ts';
import { generate, prompt, table } from './support/create-page.ts';
import { writeLora } from './support/lora.ts';
import { difference, edgesAlong, fox, pixels, type Box, type Pixels } from './support/pictures.ts';
import { openInstead, page, stack, useStudio, useWindow } from './support/suite.ts';

const PATIENCE = 120_000;
const SENTENCE = 'a fox in a meadow';

useStudio();
useWindow();
beforeAll(() => writeLora(join(stack.home, 'models')));
beforeEach(() => visit(page, stack.url));

const add = (what: string) =>
  page.getByRole('group', { name: 'Add to the words' }).getByRole('button', { name: what });
const section = (name: string) => page.getByRole('region', { name, exact: true });

async function give(purpose: RegExp, side?: number): Promise<void> {
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'fox.png', mimeType: 'image/png', buffer: await fox(side) });
  await page.getByRole('dialog', { name: 'What is this picture for?' }).waitFor();
  await page.getByRole('button', { name: purpose }).click();
}

/** Sends what the page says and waits for what comes of it. */
async function make(): Promise<Generation> {
  const answer = page.waitForResponse(
    (response) => response.url().endsWith('/api/v1/generations') && response.request().method() === 'POST',
  );
  await generate().click();
  const { id } = (await (await answer).json()) as Generation;
  await expect
    .poll(() => stack.call<Generation>('GET', `/generations/${id}`).then(({ status }) => status), {
      timeout: PATIENCE,
    })
    .not.toMatch(/queued|running/);
  const made = await stack.call<Generation>('GET', `/generations/${id}`);
  expect(made.error).toBeNull();
  return made;
}

async function pixelsOf(generation: Generation): Promise<Pixels> {
  const response = await fetch(stack.url + (generation.assets[0]?.url ?? ''));
  return pixels(Buffer.from(await response.arrayBuffer()));
}

/** What ffprobe finds in a video of the studio. */
async function probed(url: string): Promise<Probed> {
  const folder = await mkdtemp(join(tmpdir(), 'encore-e2e-video-'));
  try {
    const file = join(folder, 'video');
    await writeFile(file, Buffer.from(await (await fetch(url)).arrayBuffer()));
    return await probe(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Draws a path on the board, in fractions of its sides. */
async function drawPath(points: [number, number][]): Promise<void> {
  const board = page.getByRole('application');
  await board.scrollIntoViewIfNeeded();
  const box = await board.boundingBox();
  if (box === null) throw new Error('There is nothing to draw on.');
  const at = ([x, y]: [number, number]): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  const [first, ...others] = points;
  if (first === undefined) return;
  await page.mouse.move(...at(first));
  await page.mouse.down();
  for (const point of others) await page.mouse.move(...at(point), { steps: 3 });
  await page.mouse.up();
}

const circle: [number, number][] = Array.from({ length: 41 }, (_, i) => [
  0.5 + 0.3 * Math.cos((i / 20) * Math.PI),
  0.5 + 0.3 * Math.sin((i / 20) * Math.PI),
]);

const sky: [number, number][] = [
  [0.3, 0.1],
  [0.7, 0.1],
];

describe('every mode of the Create page', () => {
  it('shows a person with a sentence no more than a row of small buttons', async () => {
    await prompt().fill(SENTENCE);
    expect(await add('Picture').isVisible()).toBe(true);
    expect(await section('Start from this').count()).toBe(0);
    const [write, send] = [await prompt().boundingBox(), await generate().boundingBox()];
    expect((send?.y ?? 0) - (write?.y ?? 0)).toBeLessThan(160);
  });

  it('draws a picture anew from an upload', async () => {
    // Other words than the picture's: what is alike comes from the picture.
    const words = 'a penguin in the snow';
    await prompt().fill(words);
    await give(/Start from it/);
    await section('Start from this').waitFor();
    await page.getByRole('slider', { name: 'Strength' }).fill('0.1');
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('textbox', { name: 'Seed' }).fill('5');
    const near = await make();
    expect(near.params).toMatchObject({ task: 'image-to-image', strength: 0.1, width: 128, height: 128 });
    expect(near.inputs.map(({ field }) => field)).toEqual(['image']);
    await table().getByRole('img', { name: words, exact: true }).waitFor();

    const source = await pixels(await fox());
    const whole: Box = [0, 0, 128, 128];
    const free = await stack.make({ prompt: words, seed: 5 });
    expect(difference(source, await pixelsOf(near), whole)).toBeLessThan(
      0.7 * difference(source, await pixelsOf(free), whole),
    );
  });

  it('paints a mask, draws only there, and keeps every pixel outside', async () => {
    await prompt().fill('a pumpkin in a meadow');
    await give(/Start from it/);
    await page.getByRole('radio', { name: 'Paint' }).check();
    expect(await generate().isDisabled()).toBe(true);
    await page.getByText('Paint over what is to be drawn anew.').waitFor();

    await drawPath([
      [0.4, 0.5],
      [0.6, 0.5],
    ]);
    // A second stroke, which a thicker eraser takes away again.
    await drawPath(sky);
    const board = page.getByRole('application', { name: 'Mask' });
    await board.press('e');
    for (let i = 0; i < 3; i++) await board.press(']');
    await drawPath(sky);
    await page.getByRole('slider', { name: 'Feather' }).fill('0');
    const made = await make();
    expect(made.params).toMatchObject({ task: 'inpaint', maskBlur: 0 });
    expect(made.inputs.map(({ field }) => field).sort()).toEqual(['image', 'mask']);

    const [before, after] = [await pixels(await fox()), await pixelsOf(made)];
    expect(difference(before, after, [0, 0, 128, 40])).toBe(0);
    expect(difference(before, after, [0, 90, 128, 128])).toBe(0);
    expect(difference(before, after, [56, 58, 72, 70])).toBeGreaterThan(2);
  });

  it('draws only what is masked of a picture that is larger than what the model draws', async () => {
    await prompt().fill('a pumpkin in a meadow');
    await give(/Start from it/, 480);
    await page.getByRole('radio', { name: 'Paint' }).check();
    await drawPath([
      [0.45, 0.5],
      [0.55, 0.5],
    ]);
    await page.getByRole('radio', { name: 'Only what is masked' }).check();
    await page.getByRole('slider', { name: 'Seen around it' }).fill('16');
    const made = await make();
    expect(made.params).toMatchObject({ task: 'inpaint', paddingMaskCrop: 16, width: 128, height: 128 });
    expect(made.assets[0]).toMatchObject({ width: 480, height: 480 });
    const [before, after] = [await pixels(await fox(480)), await pixelsOf(made)];
    expect(difference(before, after, [0, 0, 480, 150])).toBe(0);
    expect(difference(before, after, [225, 232, 255, 248])).toBeGreaterThan(2);
    await page.getByText('what is masked, with 16 px around').waitFor({ state: 'attached' });
  });

  it('masks with the keyboard alone: rectangle, undo, redo, invert', async () => {
    await give(/Start from it/);
    await page.getByRole('radio', { name: 'Paint' }).check();
    const board = page.getByRole('application', { name: 'Mask' });
    await board.focus();
    await board.press('ArrowRight');
    await board.press('Shift+ArrowRight');
    await board.press('Enter');
    expect(await generate().isDisabled()).toBe(false);
    await board.press('Control+z');
    expect(await generate().isDisabled()).toBe(true);
    await board.press('Control+Shift+z');
    await board.press('i');
    expect(await generate().isDisabled()).toBe(false);
    const size = page.getByRole('slider', { name: 'Brush size' });
    const before = await size.getAttribute('aria-valuetext');
    await board.press(']');
    expect(Number(await size.getAttribute('aria-valuetext'))).toBeGreaterThan(Number(before));
  });

  it('draws beyond the edges of a picture', async () => {
    await prompt().fill(SENTENCE);
    await give(/Start from it/);
    await page.getByRole('radio', { name: 'Extend' }).check();
    const right = page.getByRole('slider', { name: 'Right border' });
    await right.focus();
    for (let i = 0; i < 4; i++) await right.press('ArrowRight');
    await page.getByText('160 × 128').waitFor();
    const made = await make();
    expect(made.params).toMatchObject({ task: 'inpaint', outpaint: { right: 32, left: 0 } });
    const after = await pixelsOf(made);
    expect([after.width, after.height]).toEqual([160, 128]);
  });

  it('makes a video that plays, with as many frames as were asked for', async () => {
    await prompt().fill(SENTENCE);
    await add('Video').click();
    const video = section('A video');
    await video.getByRole('textbox', { name: 'Frames', exact: true }).fill('4');
    await video.getByText('4 frames, 1.0 s').waitFor();
    await video.getByRole('combobox', { name: 'The view moves' }).selectOption('In a circle');
    await video.getByRole('slider', { name: 'Zoom' }).fill('1.03');
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill('10');
    const made = await make();
    expect(made.assets[0]).toMatchObject({ type: 'video/mp4', frames: 4, fps: 4 });
    const { zoom, path } = made.params.video?.motion ?? {};
    expect([zoom, path?.length, path?.at(-1)]).toEqual([1.03, 12, { x: 0, y: 0 }]);
    expect(await probed(stack.url + (made.assets[0]?.url ?? ''))).toEqual({
      ...{ codec: 'h264', width: 128, height: 128, frames: 4, fps: 4 },
      ...{ pixels: 'yuv420p', range: 'tv', colours: 'bt709' },
    });

    const player = table().locator('video');
    await player.waitFor();
    await expect
      .poll(() => player.evaluate((element: HTMLVideoElement) => element.readyState), { timeout: 20_000 })
      .toBeGreaterThanOrEqual(2);
    const facts = await player.evaluate((element: HTMLVideoElement) => ({
      seconds: element.duration,
      width: element.videoWidth,
      loop: element.loop,
      poster: element.poster !== '',
      paused: element.paused,
    }));
    // The window asks for reduced motion: nothing moves until it is told to.
    expect(facts).toEqual({
      seconds: expect.closeTo(1, 1) as number,
      width: 128,
      loop: true,
      poster: true,
      paused: true,
    });
    await player.evaluate((element: HTMLVideoElement) => element.play());
    await expect
      .poll(() => player.evaluate((element: HTMLVideoElement) => element.currentTime))
      .toBeGreaterThan(0);
  });

  it('proves a video by its exact run, over all of its frames', async () => {
    const made = await stack.make({
      ...{ task: 'text-to-video', prompt: SENTENCE, seed: 5, steps: 20 },
      video: { frames: 3, fps: 4, format: 'webm' },
    });
    await visit(page, `${stack.url}/library/${made.id}`);
    await page.getByRole('button', { name: /^Verify/ }).click();
    await page.waitForURL(/\/compare\?/);
    await page.getByText('Figures are of all 3 frames').waitFor({ timeout: PATIENCE });
    const { verifiedBy } = await stack.call<Generation>('GET', `/generations/${made.id}`);
    const { comparison, receipt } = await stack.call<Generation>('GET', `/generations/${verifiedBy}`);
    expect(receipt?.encoderRunsSaved).toBe(0);
    expect(comparison?.frames?.every(({ psnr }) => psnr !== null && psnr > 10)).toBe(true);
    const shown = await page.getByRole('definition').allTextContents();
    expect(shown.slice(0, 3)).toEqual([
      `${comparison?.meanDifference.toFixed(2)} of 255`,
      String(comparison?.maxDifference),
      `${comparison?.psnr?.toFixed(1)} dB`,
    ]);
    await page.getByRole('radio', { name: 'Side by side' }).check();
    await expect.poll(() => page.locator('video').count()).toBe(2);
    await page.getByRole('columnheader', { name: /^Left/ }).getByRole('link').click();
    await page.getByText(/^Verified by an exact run\. They differ by/).waitFor();
  });

  it('lets a LoRA change the picture, and a weight of 0 not', async () => {
    await prompt().fill(SENTENCE);
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('textbox', { name: 'Seed' }).fill('5');
    await add('LoRA').click();
    await page.getByRole('button', { name: 'Add a LoRA' }).click();
    await page.getByRole('menuitem', { name: /waves/ }).click();
    const changed = await make();
    expect(changed.params.loras).toEqual([{ id: expect.stringContaining('waves') as string, weight: 1 }]);

    await section('Styles and subjects').getByRole('slider').fill('0');
    const unchanged = await make();
    const plain = await stack.make({ prompt: SENTENCE, seed: 5 });
    const whole: Box = [0, 0, 128, 128];
    expect(difference(await pixelsOf(plain), await pixelsOf(unchanged), whole)).toBe(0);
    expect(difference(await pixelsOf(plain), await pixelsOf(changed), whole)).toBeGreaterThan(5);

    await prompt().fill('a fox');
    await page.getByRole('button', { name: 'Put “soft dusk” into the prompt' }).click();
    expect(await prompt().inputValue()).toBe('a fox, soft dusk');
  });

  it('follows a drawing', async () => {
    const words = 'a pumpkin in a meadow';
    await prompt().fill(words);
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('textbox', { name: 'Seed' }).fill('5');
    await add('Draw').click();
    await drawPath(circle);
    const guided = await make();
    expect(guided.params).toMatchObject({ task: 'reference', seed: 5 });
    const free = await stack.make({ prompt: words, seed: 5 });
    // Seeds 1 to 12 gave 3.4 to 4.5 times as much edge along the circle as the same seed without it.
    expect(edgesAlong(await pixelsOf(guided), circle)).toBeGreaterThan(
      2.5 * edgesAlong(await pixelsOf(free), circle),
    );
  });

  it('follows the lines of a picture, which it shows, or a picture that is lines already', async () => {
    await prompt().fill('a pumpkin in a meadow');
    await give(/Follow it/);
    const lines = page.getByRole('img', { name: 'The lines that are followed' });
    await lines.waitFor();
    await expect
      .poll(() => lines.evaluate((image: HTMLImageElement) => image.naturalWidth))
      .toBeGreaterThan(0);
    const found = await make();
    expect(found.params).toMatchObject({ task: 'reference', control: [{ preprocessor: 'scribble' }] });
    expect(found.receipt?.controlRunsSaved).toBeGreaterThan(0);
    await page
      .getByRole('combobox', { name: 'Lines found by' })
      .selectOption('It is a control picture already');
    expect(await lines.count()).toBe(0);
    const given = await make();
    expect(given.params).toMatchObject({ task: 'reference', control: [{ preprocessor: 'none' }] });
    expect(given.inputs.map(({ field }) => field)).toEqual(['control.0.image']);
  });

  it('reads how a picture was made from text that is pasted into the prompt, with a way back', async () => {
    const paste = async (text: string) => {
      await prompt().focus();
      await prompt().evaluate((field, words) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData('text/plain', words);
        field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
      }, text);
    };
    await prompt().fill('an owl');
    await paste(
      'a fox in a meadow\nNegative prompt: blurry\nSteps: 14, Sampler: Euler a, CFG scale: 3.5, Seed: 77, Size: 128x192, Model: other',
    );
    await page.getByText('Set as this text of A1111 or Forge says.').waitFor();
    expect(await prompt().inputValue()).toBe('a fox in a meadow');
    await page.getByRole('button', { name: 'Details' }).click();
    expect(await page.getByRole('textbox', { name: 'Steps' }).inputValue()).toBe('14');
    expect(await page.getByRole('textbox', { name: 'Seed' }).inputValue()).toBe('77');
    expect(await page.getByRole('textbox', { name: 'Negative prompt' }).inputValue()).toBe('blurry');
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(await prompt().inputValue()).toBe('an owl');
  });

  it('keeps drawing and mask over a reload', async () => {
    await add('Draw').click();
    await drawPath(circle);
    await visit(page, stack.url);
    await section('Follow my drawing').waitFor();
    expect(await page.getByText('The drawing is still empty.').count()).toBe(0);
    await page.getByRole('button', { name: 'Take the drawing away' }).click();
    expect(await section('Follow my drawing').count()).toBe(0);
  });

  it('weighs words and brings prompts back by keys', async () => {
    await stack.make({ prompt: SENTENCE, steps: 2 });
    await visit(page, stack.url);
    await page.getByRole('img', { name: SENTENCE }).first().waitFor();
    await prompt().fill('a red fox');
    await prompt().press('Control+ArrowUp');
    await prompt().press('Control+ArrowUp');
    expect(await prompt().inputValue()).toBe('a red (fox:1.2)');
    expect(await page.getByText(/was never shown/).count()).toBe(0);
    await prompt().press('Alt+ArrowUp');
    expect(await prompt().inputValue()).toBe(SENTENCE);
    await prompt().press('Alt+ArrowDown');
    expect(await prompt().inputValue()).toBe('a red (fox:1.2)');
  });

  it('keeps settings under a name', async () => {
    await prompt().fill(SENTENCE);
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill('12');
    await page.getByRole('button', { name: 'Presets' }).click();
    await page.getByRole('menuitem', { name: 'Save these settings…' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Twelve');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved as “Twelve”.').waitFor();
    await page.getByRole('button', { name: 'Reset settings' }).click();
    expect(await page.getByRole('textbox', { name: 'Steps' }).inputValue()).not.toBe('12');
    await page.getByRole('button', { name: 'Presets' }).click();
    await page.getByRole('menuitem', { name: 'Twelve' }).click();
    await expect.poll(() => page.getByRole('textbox', { name: 'Steps' }).inputValue()).toBe('12');
  });
});

describe('accessibility of every mode', () => {
  const states: [string, (on: Page) => Promise<void>][] = [
    ['the choice', async (on) => on.getByRole('dialog').waitFor()],
    ['a picture to redraw', async (on) => on.getByRole('button', { name: /Start from it/ }).click()],
    ['a mask', async (on) => on.getByRole('radio', { name: 'Paint' }).check()],
    ['borders', async (on) => on.getByRole('radio', { name: 'Extend' }).check()],
    ['an enlargement', async (on) => on.getByRole('radio', { name: 'Enlarge' }).check()],
    [
      'a drawing',
      async (on) => {
        await on.getByRole('button', { name: 'Take the picture away' }).click();
        await on.getByRole('button', { name: 'Draw', exact: true }).first().click();
      },
    ],
    [
      'a video with a LoRA',
      async (on) => {
        await on.getByRole('button', { name: 'Take the drawing away' }).click();
        await on.getByRole('button', { name: 'Video', exact: true }).click();
        await on.getByRole('button', { name: 'LoRA', exact: true }).click();
        await on.getByRole('button', { name: 'Add a LoRA' }).click();
        await on.getByRole('menuitem', { name: /waves/ }).click();
        await on.getByRole('menu').waitFor({ state: 'detached' });
      },
    ],
  ];

  it.each([
    { colorScheme: 'light', viewport: DESKTOP },
    { colorScheme: 'dark', viewport: PHONE },
  ] as const)('finds nothing in any state, $colorScheme $viewport.width', async (options) => {
    await openInstead(options);
    await visit(page, stack.url);
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'fox.png', mimeType: 'image/png', buffer: await fox() });
    for (const [name, enter] of states) {
      await enter(page);
      if (name !== 'the choice') await page.getByRole('dialog').waitFor({ state: 'detached' });
      // Words and button stay while the settings go by: what lies half under them is on its way, and no small target.
      await page.evaluate(() => {
        for (const element of document.querySelectorAll('main *')) element.scrollTop = 0;
      });
      expect(await accessibilityFaults(page, name === 'the choice'), name).toEqual([]);
      expect(await overflow(page), name).toBe(0);
    }
  });
});
