import { describe, expect, it } from 'vitest';
import { accessibilityFaults, DESKTOP, openWindow, overflow, PHONE, visit } from './support/browser.ts';
import { browser, stack, useStudio } from './support/suite.ts';

useStudio();
let picture: string;

/** Both sets of colours and both layouts, each once. */
const windows = [
  { colorScheme: 'light', viewport: DESKTOP },
  { colorScheme: 'dark', viewport: PHONE },
] as const;

async function expectNoFaults(path: string): Promise<void> {
  for (const options of windows) {
    const { context, page } = await openWindow(browser, options);
    await visit(page, stack.url + path);
    await page.getByRole('main').waitFor();
    const where = `${path} ${options.colorScheme} ${options.viewport.width}`;
    expect(await accessibilityFaults(page), where).toEqual([]);
    expect(await overflow(page), where).toBe(0);
    await context.close();
  }
}

describe('accessibility, light and dark, wide and narrow', () => {
  it.each([
    '/',
    '/library',
    '/queue',
    '/models',
    '/settings',
    '/reference',
    '/problems/queue_full',
    '/nowhere',
  ])('finds nothing on %s while there is no picture', expectNoFaults);

  it('finds nothing once there are pictures, good and failed', async () => {
    const made = await stack.make({ prompt: 'a sunflower on a beach', steps: 10, count: 2 });
    picture = made.id;
    await stack.make({ prompt: 'a frog', model: await stack.addDamagedModel() });
    await expectNoFaults('/');
    await expectNoFaults('/library');
    await expectNoFaults(`/library/${picture}`);
    await expectNoFaults(`/compare?a=${picture}&b=${picture}`);
    await expectNoFaults('/library?status=failed&when=week');
    await expectNoFaults('/library?q=nothing+like+it');
    await expectNoFaults('/queue');
    await expectNoFaults('/models');
  });

  it('finds nothing where a long sentence waits, in the queue and on its own page', async () => {
    await stack.call('POST', '/queue/pause');
    const prompt = 'a fox in a meadow under a rainbow and a cloud '.repeat(12).trim();
    const body = { task: 'text-to-image', prompt };
    const { id } = await stack.call<{ id: string }>('POST', '/generations', body);
    await expectNoFaults('/queue');
    await expectNoFaults(`/library/${id}`);
    await stack.call('POST', `/generations/${id}/cancel`);
    await expectNoFaults(`/library/${id}`);
    await stack.call('POST', '/queue/resume');
  });

  it('finds nothing with pictures selected, and in what opens over a picture', async () => {
    const { context, page } = await openWindow(browser);
    await visit(page, `${stack.url}/library`);
    await page.getByRole('link', { name: 'a sunflower on a beach, 2 pictures' }).focus();
    await page.keyboard.press('Space');
    await page.getByRole('toolbar', { name: 'With the selected pictures' }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await visit(page, `${stack.url}/library/${picture}`);
    for (const name of ['Go on', 'Download the picture', 'On no board']) {
      await page.getByRole('button', { name }).click();
      await page.getByRole('menu').waitFor();
      expect(await accessibilityFaults(page, true), name).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('menu').waitFor({ state: 'detached' });
    }
    await context.close();
  });

  it('finds nothing where models are added', async () => {
    for (const options of windows) {
      const { context, page } = await openWindow(browser, options);
      await visit(page, `${stack.url}/models`);
      await page.getByRole('button', { name: 'Add a model' }).click();
      await page.getByRole('textbox', { name: 'Repository' }).waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(await overflow(page)).toBe(0);
      await context.close();
    }
  });

  it('finds nothing in the details, the menu and the dialog', async () => {
    await stack.make({ prompt: 'an owl in the forest', steps: 10 });
    const { context, page } = await openWindow(browser);
    await visit(page, stack.url);
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByText('What is an encoder pass?').click();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Use again' }).click();
    await page.getByRole('menu').waitFor();
    expect(await accessibilityFaults(page, true)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await accessibilityFaults(page, true)).toEqual([]);
    await context.close();
  });
});
