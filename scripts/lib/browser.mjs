/** Finds a Chromium for the browser tests, and installs one where there is none. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fail, run } from './steps.mjs';

const onPath = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'msedge',
];
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
  'C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe',
];

/** Path of an installed browser; CHROME_PATH comes first, then PATH, the usual places, Playwright's own download. */
export async function findBrowser() {
  const named = process.env.CHROME_PATH;
  if (named) return existsSync(named) ? named : fail(`CHROME_PATH is ${named}, which does not exist.`);
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const name of onPath) {
    for (const folder of folders) if (existsSync(join(folder, name))) return join(folder, name);
  }
  const usual = elsewhere.find((path) => existsSync(path));
  if (usual) return usual;
  const { chromium } = await import('playwright-core');
  const downloaded = chromium.executablePath();
  return existsSync(downloaded) ? downloaded : undefined;
}

export async function findOrInstallBrowser() {
  const found = await findBrowser();
  if (found) return found;
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    await run('Updating the package lists', 'apt-get', ['update', '-qq']);
    await run('Installing Chromium', 'apt-get', [
      'install',
      '-y',
      '-qq',
      '--no-install-recommends',
      'chromium',
    ]);
  } else {
    await run('Downloading Chromium', process.execPath, [
      'node_modules/playwright-core/cli.js',
      'install',
      'chromium',
    ]);
  }
  return (
    (await findBrowser()) ??
    fail('The browser tests need Chromium, Chrome or Edge: install one, or set CHROME_PATH to where it is.')
  );
}
