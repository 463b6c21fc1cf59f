import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { EncoreError } from '../contracts/errors.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** An ffmpeg that was started once and answered. */
export interface Ffmpeg {
  readonly path: string;
  /** How it was found, for the settings page. */
  readonly source: FfmpegSource;
  /** As it names itself, for example `5.1.6-0+deb12u1`. */
  readonly version: string;
  readonly encoders: ReadonlySet<string>;
}

export type FfmpegSource = 'setting' | 'ffmpeg-static' | 'path' | '@ffmpeg-installer/ffmpeg';

interface Candidate {
  readonly source: FfmpegSource;
  readonly path: string;
}

const checked = new Map<string, Promise<Ffmpeg>>();

/**
 * The ffmpeg to use: the one that was set; without a setting the first that works of ffmpeg-static, `ffmpeg` on the
 * PATH and @ffmpeg-installer/ffmpeg (a build of 2018, hence last). Each is started once per process.
 * @param setting path that the user chose (ENCORE_FFMPEG); if that one does not work, no other is taken in its place
 * @throws EncoreError `ffmpeg_unavailable` with what was tried
 */
export async function findFfmpeg(setting?: string): Promise<Ffmpeg> {
  const tried: string[] = [];
  for (const candidate of setting === undefined
    ? bundled()
    : [{ source: 'setting', path: setting } as const]) {
    try {
      return await check(candidate);
    } catch (error) {
      tried.push(`${candidate.path} (${reasonOf(error)})`);
    }
  }
  throw new EncoreError('ffmpeg_unavailable', `no ffmpeg works here; tried ${tried.join(', ')}`, {
    remedy: 'Install ffmpeg, or set ENCORE_FFMPEG to the path of one.',
  });
}

/** Packages are optional: npm leaves out what cannot be downloaded or has no build for this platform. */
function bundled(): Candidate[] {
  const installed = (name: 'ffmpeg-static' | '@ffmpeg-installer/ffmpeg'): Candidate[] => {
    try {
      const exported = require(name) as string | { path: string } | null;
      const path = typeof exported === 'string' ? exported : exported?.path;
      return path === undefined ? [] : [{ source: name, path }];
    } catch {
      return [];
    }
  };
  return [
    ...installed('ffmpeg-static'),
    { source: 'path', path: 'ffmpeg' },
    ...installed('@ffmpeg-installer/ffmpeg'),
  ];
}

function check({ source, path }: Candidate): Promise<Ffmpeg> {
  const known = checked.get(path);
  if (known !== undefined) return known;
  const asked = (async (): Promise<Ffmpeg> => {
    const ask = async (question: string) => (await run(path, ['-hide_banner', question], limits)).stdout;
    const version = parseVersion(await ask('-version'));
    return { path, source, version, encoders: parseEncoders(await ask('-encoders')) };
  })();
  checked.set(path, asked);
  // What does not work now may be installed later.
  asked.catch(() => checked.delete(path));
  return asked;
}

const limits = { timeout: 15_000, maxBuffer: 4e6, windowsHide: true } as const;

/** `ffmpeg version 5.1.6-0+deb12u1 Copyright ...` */
export function parseVersion(text: string): string {
  const version = /^ffmpeg version (\S+)/m.exec(text)?.[1];
  if (version === undefined) throw new TypeError('it does not say which version of ffmpeg it is');
  return version;
}

/** Lines like ` V..... libx264   libx264 H.264 / AVC`, after a legend whose names are `=`. */
export function parseEncoders(text: string): Set<string> {
  const names = [...text.matchAll(/^ [VAS][A-Z.]{5} (\S+)/gm)].map(([, name]) => name!);
  return new Set(names.filter((name) => name !== '='));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return 'not there';
  return error.message.split('\n')[0] ?? '';
}
