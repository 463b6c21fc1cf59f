import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { migrate } from '../../lib/studio/db/migrate.ts';
import type { StudioEnv } from '../../lib/studio/env.ts';
import { openStudio, type Studio, type StudioOptions } from '../../lib/studio/studio.ts';

export const migrations = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'encore-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function testEnv(overrides: Partial<StudioEnv> = {}): Promise<StudioEnv> {
  const root = await temporaryFolder();
  await writeModel(join(root, 'models', 'tiny'));
  return {
    root,
    home: join(root, 'data'),
    port: 0,
    host: '127.0.0.1',
    token: undefined,
    device: 'cpu',
    logLevel: 'silent',
    queueLimit: 10_000,
    minFreeBytes: 0,
    ffmpeg: undefined,
    hub: { address: 'https://huggingface.co', token: undefined, budgetBytes: 1e12 },
    ...overrides,
  };
}

/** A studio on a real database file of its own, with one model (configs only). */
export async function testStudio(
  overrides: Partial<StudioEnv> = {},
  options: StudioOptions = {},
): Promise<Studio> {
  const env = await testEnv(overrides);
  await migrate(env.home, migrations);
  const studio = openStudio(env, options);
  onTestFinished(() => studio.close());
  return studio;
}

/** The configs of a diffusers folder as lib/studio reads it: 64 x 64 pixels from 8 x 8 latents. */
export async function writeModel(folder: string, extra: Record<string, unknown> = {}): Promise<void> {
  const files: Record<string, unknown> = {
    'model_index.json': { _class_name: 'StableDiffusionPipeline' },
    'unet/config.json': { sample_size: 8 },
    'vae/config.json': { _class_name: 'AutoencoderKL', block_out_channels: [8, 8, 8, 8] },
    'scheduler/scheduler_config.json': { _class_name: 'DDIMScheduler' },
    ...extra,
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** A clock that stands until it is moved. */
export function testClock(start = Date.parse('2027-01-01T00:00:00Z')) {
  let time = start;
  return {
    now: () => time,
    pass: (ms: number) => {
      time += ms;
    },
  };
}

export { aPicture, aReceipt, aRequest } from './fixtures.ts';
