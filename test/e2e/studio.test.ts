import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Generation } from '../../lib/contracts/generation.ts';
import { safetensors } from '../support/safetensors.ts';
import { overflow, PHONE, reload, visit } from './support/browser.ts';
import { generate, prompt, table } from './support/create-page.ts';
import { complaints, openInstead, page, stack, useStudio, useWindow } from './support/suite.ts';

useStudio();
useWindow();

const progress = () => page.getByRole('progressbar', { name: 'Progress of the picture' });
const recent = () => page.getByRole('region', { name: 'Recent pictures' });
const result = (words: string) => table().getByRole('img', { name: words, exact: true });

/** So long that there is time to look at it, whatever the machine. */
async function askForALongOne(words: string): Promise<void> {
  await visit(page, stack.url);
  await prompt().fill(words);
  await page.getByRole('radio', { name: 'Exact' }).check();
  await page.getByRole('button', { name: 'Details' }).click();
  await page.getByRole('textbox', { name: 'Steps' }).fill('1000');
  await prompt().press('Control+Enter');
  await progress().waitFor();
}

function isShown(img: HTMLElement | SVGElement): boolean {
  return img instanceof HTMLImageElement && img.complete && img.naturalWidth > 0;
}

async function isLoaded(picture: ReturnType<typeof result>): Promise<boolean> {
  return picture.evaluate(isShown);
}

function newest(): Promise<Generation> {
  return stack
    .call<{ items: Generation[] }>('GET', '/generations?limit=1')
    .then(({ items }) => items[0] as Generation);
}

async function fileHash(generation: Generation): Promise<string> {
  const response = await fetch(stack.url + (generation.assets[0]?.url ?? ''));
  return createHash('sha256')
    .update(new Uint8Array(await response.arrayBuffer()))
    .digest('hex');
}

describe('the studio in a browser', () => {
  it('teaches on the empty page and makes its first picture from an example', async () => {
    await visit(page, stack.url);
    await page.getByRole('heading', { name: 'Write a sentence, get a picture.' }).waitFor();
    await page.getByRole('button', { name: 'a fox in a meadow' }).click();
    await expect.poll(() => prompt().inputValue()).toBe('a fox in a meadow');
    // What comes next is one key away.
    await expect.poll(() => generate().evaluate((button) => button === document.activeElement)).toBe(true);

    const [write, send] = [await prompt().boundingBox(), await generate().boundingBox()];
    expect(Math.abs((send?.y ?? 0) - (write?.y ?? 0))).toBeLessThan(250);
    expect((send?.y ?? 900) + (send?.height ?? 0)).toBeLessThanOrEqual(900);

    await generate().click();
    await result('a fox in a meadow').waitFor({ timeout: 120_000 });
    await expect.poll(() => isLoaded(result('a fox in a meadow'))).toBe(true);

    const { receipt, params } = await newest();
    const slip = page.getByRole('complementary', { name: 'About this picture' });
    expect(await slip.textContent()).toContain(`${receipt?.encoderRuns} of ${params.steps}`);
    expect(receipt?.encoderRuns).toBeLessThan(params.steps);
    expect(await slip.textContent()).toContain(`${receipt?.encoderRunsSaved} saved`);
  });

  it('spends an encoder pass on every third of fifty steps, as the bundled model asks for', async () => {
    await visit(page, stack.url);
    await prompt().fill('a penguin in the snow');
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill('50');
    await page.getByText('17 encoder passes instead of 50.').waitFor();
    await prompt().press('Control+Enter');
    await result('a penguin in the snow').waitFor({ timeout: 120_000 });
    await page.getByText('with 17 encoder passes, 33 saved').waitFor();
    expect((await newest()).receipt?.keySteps).toEqual(Array.from({ length: 17 }, (_, i) => 3 * i));
  });

  it('shows the picture coming, in the place where it will be, and attaches again after a reload', async () => {
    await askForALongOne('a robot in the city');
    const preview = table().getByRole('img', { name: 'The picture so far' });
    await preview.waitFor({ timeout: 120_000 });
    const place = await preview.boundingBox();
    await expect.poll(() => progress().getAttribute('aria-valuenow').then(Number)).toBeGreaterThan(0);
    await expect.poll(() => page.title()).toMatch(/^\d+ % · a robot in the city$/);

    await reload(page);
    await preview.waitFor();
    expect(await preview.boundingBox()).toEqual(place);
    const before = Number(await progress().getAttribute('aria-valuenow'));
    await expect
      .poll(() => progress().getAttribute('aria-valuenow').then(Number), { timeout: 120_000 })
      .toBeGreaterThan(before);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await table().getByText('Cancelled').first().waitFor();
  });

  it('cancels at once for the eye, honestly for the engine, and makes it after all when asked', async () => {
    await askForALongOne('a castle in the mountains');
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Make it after all' }).waitFor({ timeout: 60_000 });
    await expect.poll(async () => (await newest()).status).toBe('cancelled');

    await page.getByRole('button', { name: 'Make it after all' }).click();
    await progress().waitFor();
    await expect.poll(async () => (await newest()).status).toBe('running');
    // A key without Ctrl belongs to the prompt while that has the focus.
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).focus();
    await page.keyboard.press('Shift+X');
    await page.getByRole('button', { name: 'Make it after all' }).waitFor({ timeout: 60_000 });
  });

  it('has everything after a full restart, and makes the very same picture again', async () => {
    const original = await stack.make({ prompt: 'a turtle under water', steps: 20 });
    await stack.stop('worker');
    await stack.stop('web');
    await stack.startWeb();
    await stack.startWorker();

    await visit(page, `${stack.url}/library`);
    await page.getByRole('link', { name: 'a turtle under water' }).first().click();
    const picture = page.getByRole('img', { name: 'a turtle under water' }).first();
    await picture.waitFor();
    await expect.poll(() => isLoaded(picture)).toBe(true);

    await page.getByRole('button', { name: 'Use again' }).click();
    await page.getByRole('menuitem', { name: /^Everything A/ }).click();
    await page.waitForURL(stack.url);
    await expect.poll(() => prompt().inputValue()).toBe('a turtle under water');
    await generate().click();
    await expect.poll(async () => (await newest()).id, { timeout: 60_000 }).not.toBe(original.id);
    await expect.poll(async () => (await newest()).status, { timeout: 120_000 }).toBe('succeeded');
    const again = await newest();
    expect(again.seed).toBe(original.seed);
    expect(await fileHash(again)).toBe(await fileHash(original));
  });

  it('keeps what was set across a reload until it is reset', async () => {
    await visit(page, stack.url);
    await prompt().fill('an owl in the forest');
    await page.getByRole('radio', { name: 'Fastest' }).check();
    await reload(page);
    await expect.poll(() => prompt().inputValue()).toBe('an owl in the forest');
    await expect.poll(() => page.getByRole('radio', { name: 'Fastest' }).isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Reset settings' }).click();
    await expect.poll(() => page.getByRole('radio', { name: 'Faster' }).isChecked()).toBe(true);
    await expect.poll(() => prompt().inputValue()).toBe('an owl in the forest');
    await expect.poll(() => page.getByRole('button', { name: 'Reset settings' }).count()).toBe(0);
  });

  it('says what it does not know', async () => {
    await visit(page, stack.url);
    await prompt().fill('a zeppelin in a meadow');
    await page.getByText(/was never shown “zeppelin” and will ignore it/).waitFor();
    await prompt().fill('quantum zeppelin');
    await page.getByText(/knows none of these words/).waitFor();
    await prompt().fill('a mushrom in a meadow');
    await page.getByRole('button', { name: 'mushroom in place of mushrom' }).click();
    await expect.poll(() => prompt().inputValue()).toBe('a mushroom in a meadow');
    await expect.poll(() => page.getByText(/was never shown/).count()).toBe(0);
  });

  it('asks for words where there are none', async () => {
    await visit(page, stack.url);
    await prompt().fill('');
    await generate().click();
    await page.getByText('Write what should be in the picture.').waitFor();
    await expect.poll(() => prompt().evaluate((field) => field === document.activeElement)).toBe(true);
    await prompt().fill('a fox');
    await expect.poll(() => page.getByText('Write what should be in the picture.').count()).toBe(0);
  });

  it('shows a failure with what to do, and copies the details', async () => {
    const model = await stack.addDamagedModel();
    const failed = await stack.make({ prompt: 'a dog on a beach', model });
    expect(failed.status).toBe('failed');
    await visit(page, stack.url);
    await recent().getByRole('button', { name: 'a dog on a beach, failed' }).click();
    await table().getByRole('alert').waitFor();
    expect(await table().getByRole('alert').textContent()).toContain(failed.error?.detail);
    await page.getByRole('button', { name: 'Copy details' }).click();
    const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as Generation;
    expect(copied.id).toBe(failed.id);
    await page.getByRole('button', { name: 'Retry' }).click();
    await expect.poll(async () => (await newest()).startedAt).not.toBe(failed.startedAt);
  });

  it('deletes with a way back', async () => {
    const made = await stack.make({ prompt: 'a cupcake in a room', steps: 10 });
    await visit(page, `${stack.url}/library/${made.id}`);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Deleted.').waitFor();
    await expect(stack.call('GET', `/generations/${made.id}`)).rejects.toThrow(/404/);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect
      .poll(() =>
        stack.call<Generation>('GET', `/generations/${made.id}`).then(
          (g) => g.id,
          () => null,
        ),
      )
      .toBe(made.id);
    await visit(page, `${stack.url}/library`);
    await page.getByRole('link', { name: 'a cupcake in a room' }).first().waitFor();
  });

  it('finds, stars and selects many by keyboard alone', async () => {
    await stack.make({ prompt: 'a cupcake in a room', steps: 5 });
    await visit(page, `${stack.url}/library`);
    await page.getByRole('searchbox', { name: 'Search in prompts' }).fill('cupcake');
    const tiles = page.getByRole('link', { name: /cupcake/ });
    await tiles.first().waitFor();
    await expect.poll(() => page.getByRole('link', { name: /turtle/ }).count()).toBe(0);
    await tiles.first().focus();
    await page.keyboard.press('.');
    await page.getByRole('link', { name: 'a cupcake in a room, starred' }).waitFor();
    await page.keyboard.press('Space');
    await page.getByRole('toolbar', { name: 'With the selected pictures' }).getByText('1 selected').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/library\/[0-9a-f-]+\?q=cupcake$/);
  });

  it('takes stars away where only starred pictures are shown, with a way back', async () => {
    const { id } = await stack.make({ prompt: 'a crown in a room', steps: 5 });
    await stack.call('PATCH', `/generations/${id}`, { starred: true });
    await visit(page, `${stack.url}/library?starred=true&q=crown`);
    await page.getByRole('link', { name: 'a crown in a room, starred' }).focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Unstar' }).click();
    await page.getByText('Nothing found').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'a crown in a room, starred' }).waitFor();
  });

  it('draws by a schedule made by hand, with the keyboard', async () => {
    await visit(page, stack.url);
    await prompt().fill('a cactus in the desert');
    const schedule = page.getByRole('slider', { name: 'Steps at which the encoder works' });
    await schedule.focus();
    for (let step = 0; step < 10; step += 1) await page.keyboard.press('ArrowRight');
    await expect.poll(() => schedule.getAttribute('aria-valuetext')).toMatch(/^Step 10, uses/);
    await page.keyboard.press('Space');
    await expect.poll(() => schedule.getAttribute('aria-valuetext')).toMatch(/^Step 10, computes/);
    await page.getByText('10 encoder passes instead of 25.').waitFor();
    await prompt().press('Control+Enter');
    await result('a cactus in the desert').waitFor({ timeout: 120_000 });
    const { receipt, params } = await newest();
    expect(params.plan).toEqual({ keySteps: [0, 3, 6, 9, 10, 12, 15, 18, 21, 24] });
    expect(receipt?.encoderRuns).toBe(10);
  });

  it('proves a picture by the exact run of its seed, beside it', async () => {
    const made = await stack.make({ prompt: 'a mushroom in the forest' });
    await visit(page, `${stack.url}/library/${made.id}`);
    await page.getByRole('button', { name: /^Verify/ }).click();
    await page.waitForURL(/\/compare\?/);
    await page.getByText('Mean difference').waitFor({ timeout: 120_000 });
    const { verifiedBy } = await stack.call<Generation>('GET', `/generations/${made.id}`);
    const exact = await stack.call<Generation>('GET', `/generations/${verifiedBy}`);
    expect(exact.receipt?.encoderRunsSaved).toBe(0);
    expect(exact.seed).toBe(made.seed);
    const shown = await page.getByRole('definition').first().textContent();
    expect(shown).toBe(`${exact.comparison?.meanDifference.toFixed(2)} of 255`);
    await page.getByRole('slider', { name: 'How much of the left picture is shown' }).focus();
    await page.keyboard.press('Home');
    await page.getByRole('radio', { name: 'Difference' }).check();
    await page.getByRole('img', { name: /^Where the two differ/ }).waitFor();
    await page.getByRole('row', { name: /^Plan every 3 steps exact$/ }).waitFor();
    await visit(page, `${stack.url}/library/${made.id}`);
    const apart = exact.comparison?.meanDifference.toFixed(1);
    await page.getByText(`Verified by an exact run. They differ by ${apart} of 255 on average.`).waitFor();
  });

  it('reads from a picture how it was made', async () => {
    const made = await stack.make({
      prompt: 'a strawberry on a white background',
      steps: 12,
      seed: 77,
      guidanceScale: 2,
    });
    const file = await fetch(stack.url + (made.assets[0]?.url ?? ''));
    await visit(page, stack.url);
    await page.locator('input[type=file]').setInputFiles({
      name: 'strawberry.png',
      mimeType: 'image/png',
      buffer: Buffer.from(await file.arrayBuffer()),
    });
    await page.getByRole('button', { name: 'Read how it was made' }).click();
    await page.getByText('Set as this picture of Encore says.').waitFor();
    await expect.poll(() => prompt().inputValue()).toBe('a strawberry on a white background');
    await page.getByRole('button', { name: 'Details' }).click();
    await expect.poll(() => page.getByRole('textbox', { name: 'Seed' }).inputValue()).toBe('77');
    await expect.poll(() => page.getByRole('textbox', { name: 'Steps' }).inputValue()).toBe('12');
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => prompt().inputValue()).toBe('');
  });

  it('pauses, orders and empties the queue', async () => {
    await visit(page, `${stack.url}/queue`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    const waiting: string[] = [];
    for (const words of ['a frog in a room', 'a dog in a room', 'a cat in a room']) {
      const { id } = await stack.call<Generation>('POST', '/generations', {
        task: 'text-to-image',
        prompt: words,
      });
      waiting.push(id);
    }
    const last = page.getByRole('listitem').filter({ hasText: 'a cat in a room' });
    await last.getByRole('button', { name: 'To the front' }).click();
    const order = () =>
      stack.call<{ queued: Generation[] }>('GET', '/queue').then(({ queued }) => queued.map(({ id }) => id));
    await expect.poll(order).toEqual([waiting[2], waiting[0], waiting[1]]);
    await last.getByRole('button', { name: 'Cancel' }).click();
    await expect.poll(order).toEqual([waiting[0], waiting[1]]);
    await page.getByRole('link', { name: 'Queue, 2 under way' }).waitFor();

    // Whoever waits on the Create page is told why, and need not look for the button.
    await page.getByRole('link', { name: 'Create', exact: true }).click();
    await table().getByText('The queue is paused', { exact: true }).waitFor();
    await table().getByRole('button', { name: 'Let it go on' }).click();
    await expect.poll(order, { timeout: 120_000 }).toEqual([]);
    await page.getByRole('link', { name: 'Queue', exact: true }).waitFor({ timeout: 120_000 });
  });

  it('keeps pictures on boards', async () => {
    const made = await stack.make({ prompt: 'a sailboat on the sea', steps: 10 });
    await visit(page, `${stack.url}/library`);
    await page.getByRole('button', { name: 'Board', exact: true }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Seaside');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'This board is empty' }).waitFor();
    await page.getByRole('button', { name: 'Everything', exact: true }).click();
    await page.getByRole('link', { name: 'a sailboat on the sea' }).focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'To a board' }).click();
    await page.getByRole('menuitem', { name: 'Seaside' }).click();
    await page.getByText('1 picture moved.').waitFor();
    await page
      .getByRole('button', { name: /^Seaside/ })
      .first()
      .click();
    await page.getByRole('link', { name: 'a sailboat on the sea' }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: /cupcake/ }).count()).toBe(0);
    await expect
      .poll(async () => (await stack.call<Generation>('GET', `/generations/${made.id}`)).boardId)
      .not.toBeNull();
  });

  it('goes on from a picture, and keeps what the next one was made from', async () => {
    const first = await stack.make({ prompt: 'a pumpkin on a purple background', steps: 10 });
    await visit(page, `${stack.url}/library/${first.id}`);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('menuitem', { name: 'Start from this picture' }).click();
    await page.waitForURL(stack.url);
    await expect.poll(() => prompt().inputValue()).toBe('a pumpkin on a purple background');
    await prompt().press('Control+Enter');
    await expect.poll(async () => (await newest()).task, { timeout: 60_000 }).toBe('image-to-image');
    await expect.poll(async () => (await newest()).status, { timeout: 120_000 }).toBe('succeeded');
    const second = await newest();
    expect(second.inputs.map(({ field }) => field)).toEqual(['image']);

    await visit(page, `${stack.url}/library/${second.id}`);
    const inputs = page.getByRole('region', { name: 'Made from' });
    const start = inputs.getByRole('link', { name: 'Start' });
    await start.waitFor();
    await expect.poll(() => start.locator('img').evaluate(isShown)).toBe(true);
    await page.getByText('Strength', { exact: true }).waitFor();
    // Back on the empty page nothing of it is left over for the next test.
    await page.evaluate(() => localStorage.clear());
  });

  it('saves what is selected as one file', async () => {
    await stack.make({ prompt: 'a rocket in space', steps: 5 });
    await visit(page, `${stack.url}/library`);
    await page.getByRole('searchbox', { name: 'Search in prompts' }).fill('rocket');
    await page.getByRole('link', { name: 'a rocket in space' }).first().focus();
    await page.keyboard.press('Control+a');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Zip' }).click(),
    ]);
    const file = await readFile(await download.path());
    expect(file.subarray(0, 4).toString('latin1')).toBe('PK\x03\x04');
    expect(file.includes('a-rocket-in-space')).toBe(true);
    expect(new URL(page.url()).pathname).toBe('/library');
  });

  it('says in the queue what failed, and tries it again', async () => {
    const model = await stack.addDamagedModel();
    const failed = await stack.make({ prompt: 'a unicorn in a room', model });
    await visit(page, `${stack.url}/queue`);
    const row = page.getByRole('listitem').filter({ hasText: 'a unicorn in a room' });
    await row.getByText(failed.error?.detail ?? 'no error').waitFor();
    await row.getByRole('button', { name: 'Try again: a unicorn in a room' }).click();
    await expect.poll(async () => (await newest()).startedAt).not.toBe(failed.startedAt);
    // The rows move while it is tried again; a click must not land between two places.
    await expect.poll(async () => (await newest()).status).toBe('failed');
    await row.getByText(failed.error?.detail ?? 'no error').waitFor();
    await page.getByRole('link', { name: 'All that failed' }).click();
    await page.waitForURL(/\/library\?status=failed$/);
    await page.getByRole('combobox', { name: 'State' }).waitFor();
  });

  it('adds a LoRA from a file, says what it is, and refuses what it cannot read', async () => {
    await visit(page, `${stack.url}/models`);
    await page.getByRole('button', { name: 'Add a model' }).click();
    const path = page.getByRole('textbox', { name: 'Folder or file' });
    const add = page.getByRole('button', { name: 'Add', exact: true });
    await path.fill('/nowhere/at/all');
    await add.click();
    await page.getByRole('alert').filter({ hasText: 'There is nothing at /nowhere/at/all.' }).waitFor();
    const pickled = join(stack.home, 'old.ckpt');
    await writeFile(pickled, 'cannot be trusted');
    await path.fill(pickled);
    await add.click();
    await page.getByRole('alert').filter({ hasText: 'old.ckpt' }).waitFor();
    // The browser's own words on the two refusals.
    expect(complaints.splice(0)).toEqual(Array(2).fill(expect.stringContaining('422')));

    const file = join(stack.home, 'pencil-sketch.safetensors');
    const block = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
    await safetensors(
      file,
      {
        [`${block}.lora_down.weight`]: [4, 32],
        [`${block}.lora_up.weight`]: [32, 4],
        [`${block}.alpha`]: [],
      },
      { 'modelspec.trigger_phrase': 'pencil sketch', 'modelspec.license': 'MIT' },
    );
    await path.fill(file);
    await add.click();
    const entry = page
      .getByRole('listitem')
      .filter({ has: page.getByRole('heading', { name: /pencil-sketch/ }) });
    await entry.waitFor();
    await entry.getByText('kohya').waitFor();
    await entry.getByRole('button', { name: 'Add “pencil sketch” to the prompt' }).click();
    await page.getByText('“pencil sketch” is in the prompt.').waitFor();
    await entry.getByRole('button', { name: /^Take away/ }).click();
    await entry.waitFor({ state: 'detached' });
    await page.evaluate(() => localStorage.clear());
  });

  it('keeps a default model and says where it is reached from', async () => {
    await stack.addDamagedModel();
    await visit(page, `${stack.url}/settings`);
    await page.getByRole('combobox', { name: 'Model' }).selectOption('damaged');
    await expect
      .poll(async () => (await stack.call<{ defaultModel: string }>('GET', '/settings')).defaultModel)
      .toBe('damaged');
    await stack.call('PATCH', '/settings', { defaultModel: '' });
    await page.getByText('The studio answers on this machine only.', { exact: false }).waitFor();
  });

  it('lists its shortcuts under ?', async () => {
    await visit(page, stack.url);
    const list = page.getByRole('dialog', { name: 'Keyboard' });
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).focus();
    await page.keyboard.press('?');
    await list.waitFor();
    await page.keyboard.press('Escape');
    await list.waitFor({ state: 'detached' });
  });
});

describe('the studio on a phone', () => {
  it('makes a picture with nothing sticking out of the screen', async () => {
    await openInstead({ viewport: PHONE });
    await visit(page, stack.url);
    await prompt().fill('a rocket in space');
    const box = await generate().boundingBox();
    expect((box?.y ?? PHONE.height) + (box?.height ?? 0)).toBeLessThanOrEqual(PHONE.height);
    await generate().tap();
    await result('a rocket in space').waitFor({ timeout: 120_000 });
    expect(await overflow(page)).toBe(0);
    await visit(page, `${stack.url}/library`);
    await page.getByRole('link', { name: 'a rocket in space' }).first().tap();
    await page.getByRole('button', { name: 'Use again' }).waitFor();
    expect(await overflow(page)).toBe(0);
  });
});
