/** Finds ffprobe for the tests of videos, and installs it beside them where there is none. */
import { chmodSync, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fail, npm, root, run } from './steps.mjs';

/** Packages of its own: 29 MB that are not to be fetched by everyone who wants to draw. */
const folder = join(root, 'test', 'ffprobe');
const program = process.platform === 'win32' ? 'ffprobe.exe' : 'ffprobe';

/** Path of an ffprobe: the one on the PATH, or else the one that was installed here. */
export function findFfprobe() {
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .map((place) => join(place, program))
    .find((path) => existsSync(path));
  if (onPath) return onPath;
  const { platform, arch } = process;
  const installed = join(folder, 'node_modules', '@ffprobe-installer', `${platform}-${arch}`, program);
  if (!existsSync(installed)) return undefined;
  // What its install script would do, had it been run.
  chmodSync(installed, 0o755);
  return installed;
}

export async function findOrInstallFfprobe() {
  if (findFfprobe()) return;
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('Installing ffprobe (76 MB on disk)', npm, args);
  if (!findFfprobe()) fail('The tests of videos need ffprobe: install ffmpeg, which brings it along.');
}
