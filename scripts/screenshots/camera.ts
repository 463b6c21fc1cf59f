import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { DESKTOP, launch, openWindow, PHONE, visit } from '../../test/e2e/support/browser.ts';
import type { Stack } from '../../test/e2e/support/stack.ts';

const views = ['wide', 'wide-dark', 'phone', 'phone-dark'] as const;
export type View = (typeof views)[number];

/** A page in a state that is worth looking at. */
export interface Scene {
  name: string;
  path: string;
  /** Missing: in the light, wide and narrow. */
  views?: readonly View[];
  /** Brings the page into the state. */
  prepare?: (page: Page) => Promise<void>;
  /** Puts the studio back to what it was. */
  after?: (page: Page) => Promise<void>;
}

/** What a reader sees first. */
export const everyView = views;
export const darkToo = ['wide', 'wide-dark', 'phone'] as const;
/** Where a narrow page shows the same, only narrower. */
export const wideOnly = ['wide'] as const;

/** For one step of a page, and for a whole scene in one window. */
const STEP_MS = 30_000;
const SCENE_MS = 60_000;

/** Takes scenes, each in a window of its own for wide and narrow. A scene that fails is named, and the next one taken. */
export class Camera {
  #browser: Browser | undefined;
  readonly #folder: string;
  readonly #wanted: readonly string[];
  readonly #takesAll: boolean;
  bytes = 0;
  /** Files that were written. */
  readonly taken = new Set<string>();
  readonly faults: string[] = [];

  /**
   * @param wanted beginnings of the names that are taken; none: all
   * @param takesAll in all four views, whatever the scene says
   */
  constructor(folder: string, wanted: readonly string[] = [], takesAll = false) {
    this.#folder = folder;
    this.#wanted = wanted;
    this.#takesAll = takesAll;
  }

  /** Whether any of these scenes is to be taken: what only the others need must not be made. */
  wants(...names: string[]): boolean {
    return (
      this.#wanted.length === 0 || names.some((name) => this.#wanted.some((begin) => name.startsWith(begin)))
    );
  }

  /** @throws where the studio is gone: no further scene of it can be taken */
  async take(stack: Stack, ...scenes: Scene[]): Promise<void> {
    for (const scene of scenes) {
      if (!this.wants(scene.name)) continue;
      const wanted = this.#takesAll ? views : (scene.views ?? (['wide', 'phone'] as const));
      for (const window of ['wide', 'phone'] as const) {
        const of = wanted.filter((view) => view.startsWith(window));
        if (of.length === 0) continue;
        try {
          await this.#takeOne(stack.url, scene, of);
        } catch (error) {
          stack.assertRunning();
          console.error(`${scene.name} (${window}), once more after: ${String(error)}`);
          // A machine that is busy may be too slow for the patience of a browser; once more, then it is a fault.
          await this.attempt(`${scene.name} (${window})`, () => this.#takeOne(stack.url, scene, of));
        }
      }
    }
  }

  /** Does something of which others do not depend: its failure is told at once and remembered. */
  async attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const fault = `${what}: ${error instanceof Error ? error.message : String(error)}`;
      this.faults.push(fault);
      console.error(fault);
    }
  }

  async close(): Promise<void> {
    await this.#browser?.close();
  }

  async #takeOne(url: string, scene: Scene, of: readonly View[]): Promise<void> {
    if (this.#browser?.isConnected() !== true) this.#browser = await launch();
    const viewport = of[0]?.startsWith('wide') ? DESKTOP : PHONE;
    const { context, page } = await openWindow(this.#browser, { viewport });
    context.setDefaultTimeout(STEP_MS);
    try {
      await within(SCENE_MS, async () => {
        await visit(page, url + scene.path);
        await scene.prepare?.(page);
        await settle(page);
        for (const view of of) {
          await page.emulateMedia({
            colorScheme: view.endsWith('dark') ? 'dark' : 'light',
            reducedMotion: 'reduce',
          });
          // What is painted and not styled takes the new colours in the next frames.
          await page.waitForTimeout(150);
          await this.#expose(page, scene.name + view.replace('wide', '').replace('phone', '-phone'));
        }
        await scene.after?.(page);
      });
    } finally {
      await within(STEP_MS, () => context.close());
    }
  }

  async #expose(page: Page, name: string): Promise<void> {
    const picture = await sharp(await page.screenshot())
      .webp({ quality: 82, effort: 4, smartSubsample: true })
      .toBuffer();
    await writeFile(join(this.#folder, `${name}.webp`), picture);
    this.bytes += picture.length;
    this.taken.add(`${name}.webp`);
    console.log(`${name}.webp`);
  }
}

/** Waits until nothing is on its way any more that the eye would miss. */
async function settle(page: Page): Promise<void> {
  await page.waitForTimeout(300);
  await page.waitForFunction(
    () =>
      document.fonts.status === 'loaded' &&
      [...document.querySelectorAll('img, video')]
        .filter((element) => {
          const { top, right, bottom, left } = element.getBoundingClientRect();
          return bottom > 0 && right > 0 && top < window.innerHeight && left < window.innerWidth;
        })
        .every((element) =>
          element instanceof HTMLVideoElement
            ? element.readyState === HTMLMediaElement.HAVE_ENOUGH_DATA
            : (element as HTMLImageElement).complete,
        ),
  );
}

/** A page can be asked for something that it never answers; the limit of single steps does not know of that. */
async function within(limit: number, work: () => Promise<void>): Promise<void> {
  const late = new AbortController();
  try {
    await Promise.race([
      work(),
      sleep(limit, undefined, { signal: late.signal }).then(() => {
        throw new Error(`not done within ${limit / 1000} s`);
      }),
    ]);
  } finally {
    late.abort();
  }
}
