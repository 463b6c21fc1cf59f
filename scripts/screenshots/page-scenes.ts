import { darkToo, everyView, wideOnly, type Scene } from './camera.ts';
import type { Made } from './pictures.ts';

/** Every page before anything was made. */
export const emptyScenes: Scene[] = [
  { name: 'library-empty', path: '/library' },
  { name: 'queue-empty', path: '/queue', views: wideOnly },
];

/** The library, a picture's own page and two of them side by side. */
export function libraryScenes(made: Made): Scene[] {
  const { robot, exact } = made;
  const compare = `/compare?${new URLSearchParams({ a: robot.id, b: exact.id })}`;
  return [
    { name: 'library', path: '/library', views: everyView },
    {
      name: 'library-filters',
      path: '/library?when=week&task=text-to-image',
      prepare: (page) => page.getByRole('combobox', { name: 'When' }).waitFor(),
    },
    {
      name: 'library-nothing',
      views: wideOnly,
      path: '/library?q=zeppelin',
      prepare: (page) => page.getByText('Nothing found').waitFor(),
    },
    {
      name: 'library-selected',
      path: '/library',
      prepare: async (page) => {
        const select = page.getByRole('button', { name: 'Select', exact: true });
        if (await select.isVisible()) await select.click();
        for (const index of [1, 2]) await page.getByRole('checkbox').nth(index).click({ force: true });
        await page.getByRole('toolbar').waitFor();
      },
    },
    {
      name: 'library-undo',
      views: wideOnly,
      path: '/library?q=cactus',
      prepare: async (page) => {
        await page.getByRole('link', { name: /cactus/ }).focus();
        await page.keyboard.press('Delete');
        // The notice stays while the pointer is on it.
        await page.getByRole('button', { name: 'Undo' }).hover();
      },
      after: async (page) => {
        await page.getByRole('button', { name: 'Undo' }).click();
        await page.getByRole('link', { name: /cactus/ }).waitFor();
      },
    },
    { name: 'picture', path: `/library/${made.rocket.id}`, views: everyView },
    { name: 'picture-verified', path: `/library/${robot.id}` },
    { name: 'picture-batch', path: `/library/${made.batch.id}`, views: wideOnly },
    { name: 'picture-from-picture', path: `/library/${made.redrawn.id}`, views: wideOnly },
    {
      name: 'picture-menu',
      views: wideOnly,
      path: `/library/${made.rocket.id}`,
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Go on' }).click();
        await page.getByRole('menu').waitFor();
      },
    },
    { name: 'picture-video', path: `/library/${made.video.id}`, views: wideOnly },
    { name: 'picture-failed', path: `/library/${made.failed.id}`, views: wideOnly },
    {
      name: 'compare',
      views: darkToo,
      path: compare,
      prepare: (page) => page.getByText('Mean difference').waitFor(),
    },
    {
      name: 'compare-beside',
      views: wideOnly,
      path: compare,
      prepare: (page) => page.getByRole('radio', { name: 'Side by side' }).check(),
    },
    {
      name: 'compare-difference',
      views: wideOnly,
      path: compare,
      prepare: async (page) => {
        await page.getByText('Mean difference').waitFor();
        await page.getByRole('radio', { name: 'Difference' }).check();
      },
    },
  ];
}

/** What is read and set rather than looked at. */
export const otherScenes: Scene[] = [
  {
    name: 'models',
    views: darkToo,
    path: '/models',
    prepare: (page) => page.getByRole('heading', { name: 'Toybox', exact: true }).first().waitFor(),
  },
  { name: 'settings', path: '/settings' },
  { name: 'reference', path: '/reference' },
  { name: 'problem', path: '/problems/queue_full', views: wideOnly },
  { name: 'nowhere', path: '/nowhere', views: wideOnly },
  {
    // A defect: something that every picture of the library asks the browser throws.
    name: 'broken',
    views: wideOnly,
    path: '/settings',
    prepare: async (page) => {
      await page.evaluate(() => {
        window.matchMedia = () => {
          throw new Error('out of order');
        };
      });
      await page.getByRole('link', { name: 'Library' }).click();
      await page.getByRole('heading', { name: 'This page broke' }).waitFor();
    },
  },
];
