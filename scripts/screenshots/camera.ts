import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { DESKTOP, openWindow, PHONE, visit } from '../../test/e2e/support/browser.ts';

/** A page in a state that is worth looking at. */
export interface Scene {
  name: string;
  path: string;
  /** Brings the page into the state. */
  prepare?: (page: Page) => Promise<void>;
  /** Puts the studio back to what it was. */
  after?: (page: Page) => Promise<void>;
}

const windows = [
  [DESKTOP, ''],
  [PHONE, '-phone'],
] as const;

/** Takes each scene in a wide and in a narrow window, in the light and in the dark. */
export class Camera {
  readonly #browser: Browser;
  readonly #folder: string;
  readonly #wanted: readonly string[];
  bytes = 0;
  /** Files that were written. */
  readonly taken = new Set<string>();
  readonly faults: string[] = [];

  /** @param wanted beginnings of the names that are taken; none: all */
  constructor(browser: Browser, folder: string, wanted: readonly string[] = []) {
    this.#browser = browser;
    this.#folder = folder;
    this.#wanted = wanted;
  }

  async take(url: string, ...scenes: Scene[]): Promise<void> {
    for (const scene of scenes) {
      if (this.#wanted.length > 0 && !this.#wanted.some((begin) => scene.name.startsWith(begin))) continue;
      for (const [viewport, suffix] of windows) {
        const name = scene.name + suffix;
        try {
          await this.#takeOne(url, scene, name, viewport);
        } catch {
          // A machine that is busy may be too slow for the patience of a browser; once more, then it is a fault.
          await this.#takeOne(url, scene, name, viewport).catch((error: unknown) => {
            this.faults.push(`${name}: ${String(error)}`);
            console.error(this.faults.at(-1));
          });
        }
      }
    }
  }

  async #takeOne(url: string, scene: Scene, name: string, viewport: typeof DESKTOP): Promise<void> {
    const { context, page } = await openWindow(this.#browser, { viewport });
    try {
      await visit(page, url + scene.path);
      await scene.prepare?.(page);
      await settle(page);
      await this.#expose(page, name);
      await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
      await repaint(page);
      await this.#expose(page, `${name}-dark`);
      await scene.after?.(page);
    } finally {
      await context.close();
    }
  }

  async #expose(page: Page, name: string): Promise<void> {
    const picture = await sharp(await page.screenshot())
      .webp({ quality: 78, effort: 6, smartSubsample: true })
      .toBuffer();
    await writeFile(join(this.#folder, `${name}.webp`), picture);
    this.bytes += picture.length;
    this.taken.add(`${name}.webp`);
    console.log(`${name}.webp`);
  }
}

/** Waits until new colours have come everywhere: what is painted and not styled is painted anew in the next frames. */
async function repaint(page: Page): Promise<void> {
  await page.waitForTimeout(150);
  await page.evaluate(async () => {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    // One that turns forever never ends.
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map(({ finished }) => finished));
    await new Promise((resolve) => requestAnimationFrame(resolve));
  });
}

/** Waits until nothing is on its way any more that the eye would miss. */
async function settle(page: Page): Promise<void> {
  await page.waitForTimeout(400);
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
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}
