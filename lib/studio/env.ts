import { resolve } from './disk.ts';
import { z } from 'zod';
import { EncoreError } from '../contracts/errors.ts';

const environmentSchema = z.object({
  /** Everything that Encore remembers: the database, the pictures, models the user added. */
  ENCORE_HOME: z
    .string()
    .min(1)
    .default('data')
    .transform((path) => resolve(path)),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  ENCORE_HOST: z.string().min(1).default('127.0.0.1'),
  /** Bearer token that requests must carry; needed to listen on anything but the own machine. */
  ENCORE_TOKEN: z.string().min(16).optional(),
  ENCORE_DEVICE: z.string().min(1).default('auto'),
  /** Path of the ffmpeg to use, in place of the one that is found. */
  ENCORE_FFMPEG: z.string().min(1).optional(),
  /**
   * Where models are fetched from by name; a mirror speaks the same HTTP. Not a setting of the pages: it decides where the
   * token goes and which network is reached, and whoever may use the pages may not decide that.
   */
  ENCORE_HUB: z
    .url({ protocol: /^https?$/ })
    .default('https://huggingface.co')
    .transform((address) => address.replace(/\/+$/, '')),
  /** For private and gated repositories; sent to the hub alone. */
  ENCORE_HUB_TOKEN: z.string().min(1).optional(),
  /** What everything from hubs may take on the disk. */
  ENCORE_MODEL_BUDGET_BYTES: z.coerce.number().int().min(0).default(100e9),
  ENCORE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Jobs that may wait at once. */
  ENCORE_QUEUE_LIMIT: z.coerce.number().int().min(1).default(10_000),
  /** Creating is refused when less than this is left on the disk of ENCORE_HOME. */
  ENCORE_MIN_FREE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(256 * 1024 * 1024),
});

/** The environment as the studio uses it. */
export interface StudioEnv {
  /** Folder of the program: bundled models and migrations are below it. */
  root: string;
  home: string;
  port: number;
  host: string;
  token: string | undefined;
  device: string;
  logLevel: string;
  queueLimit: number;
  minFreeBytes: number;
  ffmpeg: string | undefined;
  hub: HubEnv;
}

export interface HubEnv {
  /** Without a slash at its end. */
  address: string;
  token: string | undefined;
  budgetBytes: number;
}

/**
 * Reads the environment once, at the start of a process; everything below is handed what it needs.
 * @throws EncoreError `invalid_parameter` that names every variable that cannot be used
 */
export function readEnv(
  environment: Readonly<Record<string, string | undefined>> = ownEnvironment(),
): StudioEnv {
  // An empty variable is what shells and compose files write for "not set".
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  // The names that the hub's own programs use.
  const parsed = environmentSchema.safeParse({
    ...given,
    ENCORE_HUB: given.ENCORE_HUB ?? given.HF_ENDPOINT,
    ENCORE_HUB_TOKEN: given.ENCORE_HUB_TOKEN ?? given.HF_TOKEN,
  });
  if (!parsed.success) {
    const errors = parsed.error.issues.map((issue) => ({
      path: issue.path.join('.'),
      message: issue.message,
    }));
    throw new EncoreError(
      'invalid_parameter',
      `environment: ${errors.map((e) => `${e.path} ${e.message}`).join('; ')}`,
      {
        remedy: 'Correct or unset these environment variables.',
        errors,
      },
    );
  }
  const env = parsed.data;
  return {
    root: process.cwd(),
    home: env.ENCORE_HOME,
    port: env.PORT,
    host: env.ENCORE_HOST,
    token: env.ENCORE_TOKEN,
    device: env.ENCORE_DEVICE,
    logLevel: env.ENCORE_LOG_LEVEL,
    queueLimit: env.ENCORE_QUEUE_LIMIT,
    minFreeBytes: env.ENCORE_MIN_FREE_BYTES,
    ffmpeg: env.ENCORE_FFMPEG,
    hub: {
      address: env.ENCORE_HUB,
      token: env.ENCORE_HUB_TOKEN,
      budgetBytes: env.ENCORE_MODEL_BUDGET_BYTES,
    },
  };
}

/** The variables of this process, and those of the files that Next reads too. One that is set wins over a file. */
function ownEnvironment(): Readonly<Record<string, string | undefined>> {
  for (const file of ['.env.local', '.env']) {
    try {
      process.loadEnvFile(file);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return process.env;
}
