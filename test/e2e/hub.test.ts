import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { hubServer } from '../support/hub.ts';
import { safetensorsBytes } from '../support/safetensors.ts';
import { accessibilityFaults, launch, openWindow, visit } from './support/browser.ts';
import { Stack } from './support/stack.ts';

const REPO = 'someone/charcoal';
const BLOCK = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
/** 4 MB: long enough to be stopped in the middle. */
const file = safetensorsBytes(
  { [`${BLOCK}.lora_down.weight`]: [4, 250_000], [`${BLOCK}.lora_up.weight`]: [250_000, 4] },
  { 'modelspec.trigger_phrase': 'charcoal' },
);

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
});

it('fetches by name from a hub: shows it coming, pauses, goes on, installs, deletes, and says why it cannot', async () => {
  const hub = await hubServer(REPO, { 'charcoal.safetensors': file });
  hub.pauseMs = 250;
  const stack = await Stack.start({ ENCORE_HUB: hub.address });
  onTestFinished(() => stack.close());
  const { context, page, complaints } = await openWindow(browser);
  onTestFinished(() => context.close());
  await visit(page, `${stack.url}/models`);
  await page.getByRole('button', { name: 'Add a model' }).click();
  const repository = page.getByRole('textbox', { name: 'Repository' });
  const fetch = page.getByRole('button', { name: 'Fetch' });
  const onTheWay = page.getByRole('list', { name: 'On the way' });

  await repository.fill(`${hub.address}/${REPO}`);
  await fetch.click();
  const bar = page.getByRole('progressbar', { name: `Progress of ${REPO}` });
  await expect.poll(() => bar.getAttribute('aria-valuenow').then(Number)).toBeGreaterThan(0);
  await onTheWay.getByText(/MB of 4\.0 MB/).waitFor();
  await page.getByRole('button', { name: `Pause ${REPO}` }).click();
  await onTheWay.getByText('Paused').waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  hub.pauseMs = 0;
  await page.getByRole('button', { name: `Go on with ${REPO}` }).click();
  await onTheWay.getByText('Installed').waitFor();

  const entry = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: /charcoal/ }) });
  await entry.getByText('From', { exact: true }).waitFor();
  await entry.getByText(REPO).waitFor();
  await page.getByText(/4\.0 MB of .* for models from hubs/).waitFor();
  await page.getByRole('button', { name: `Take ${REPO} off this list` }).click();
  await onTheWay.waitFor({ state: 'detached' });
  await entry.getByRole('button', { name: /^Delete/ }).click();
  const dialog = page.getByRole('dialog', { name: /^Delete/ });
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await entry.waitFor({ state: 'detached' });
  expect(complaints).toEqual([]);

  await repository.fill('someone/nothing');
  await fetch.click();
  await page.getByRole('alert').filter({ hasText: 'someone/nothing' }).waitFor();
});
