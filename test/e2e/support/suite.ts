import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launch, openWindow, type WindowOptions } from './browser.ts';
import { Stack } from './stack.ts';

/** What the tests of a file share; an import follows the value, so `page` is the window of the test that runs. */
export let stack: Stack;
export let browser: Browser;
export let page: Page;
/** What the window's pages complained about so far; a test ends with none. */
export let complaints: string[];
let context: BrowserContext;

/** One studio for the tests of a file, with a data directory of its own, and one browser. */
export function useStudio(...start: Parameters<typeof Stack.start>): void {
  beforeAll(async () => {
    [stack, browser] = await Promise.all([Stack.start(...start), launch()]);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });
}

/** A new window for every test; {@link openInstead} gives it another shape. */
export function useWindow(): void {
  beforeEach(async () => {
    ({ context, page, complaints } = await openWindow(browser));
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
}

export async function openInstead(options: WindowOptions): Promise<void> {
  await context.close();
  ({ context, page, complaints } = await openWindow(browser, options));
}
