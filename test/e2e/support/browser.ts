import axe, { type AxeResults } from 'axe-core';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { findBrowser } from '../../../scripts/lib/browser.mjs';

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** How long anything may take that a person would wait for; a busy machine with two cores needs it. */
const PATIENCE_MS = 90_000;

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launch(): Promise<Browser> {
  const executablePath = await findBrowser();
  if (executablePath === undefined) {
    throw new Error(
      'The browser tests need Chromium, Chrome or Edge: install one, or set CHROME_PATH to where it is.',
    );
  }
  return chromium.launch({ executablePath, args: flags });
}

export interface WindowOptions {
  viewport?: { width: number; height: number };
  colorScheme?: 'light' | 'dark';
}

/** A window of its own, which fails the test for whatever its pages complain about. */
export async function openWindow(
  browser: Browser,
  options: WindowOptions = {},
): Promise<{ context: BrowserContext; page: Page; complaints: string[] }> {
  const viewport = options.viewport ?? DESKTOP;
  const isPhone = viewport.width < 800;
  const context = await browser.newContext({
    viewport,
    colorScheme: options.colorScheme ?? 'light',
    hasTouch: isPhone,
    isMobile: isPhone,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { context, page, complaints };
}

/** Opens an address and waits until the page answers: before that, keys are nobody's and controls lack what script adds. */
export async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('html[data-interactive]').waitFor();
}

export async function reload(page: Page): Promise<void> {
  await page.reload();
  await page.locator('html[data-interactive]').waitFor();
}

/**
 * What stands between this page and WCAG 2.2 AA, one line each; empty when nothing does.
 * @param hasOverlay an open menu or dialog lies outside the landmarks of the page, by intent
 */
export async function accessibilityFaults(page: Page, hasOverlay = false): Promise<string[]> {
  // By the debugger, which the content security policy does not bind.
  await page.evaluate(axe.source);
  const result = await page.evaluate<AxeResults>(
    `axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      rules: { region: { enabled: ${!hasOverlay} } },
    })`,
  );
  return result.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} (${node.failureSummary ?? ''})`),
  );
}

/** Pixels by which the page is wider than the window: 0 unless something sticks out. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
