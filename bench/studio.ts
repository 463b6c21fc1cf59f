import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type GenerationQuery, generationQuerySchema } from '../lib/contracts/api.ts';
import { generationRequestSchema } from '../lib/contracts/generation.ts';
import { migrate } from '../lib/studio/db/migrate.ts';
import { readEnv } from '../lib/studio/env.ts';
import { createGeneration, listGenerations, openStudio, type Studio } from '../lib/studio/services/index.ts';
import { report, type Row } from './report.ts';
import { seedHistory } from './seed-history.ts';

type Log = (line: string) => void;

const HISTORY = 50_000;
const RATE = 200;
const SECONDS = 20;
const ROUNDS = 60;

/** Requests stored under load, and the history at 50,000 entries, on a database of its own. */
export async function benchStudio(log: Log): Promise<void> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const home = await mkdtemp(join(tmpdir(), 'encore-bench-'));
  try {
    await migrate(home, join(root, 'prisma', 'migrations'));
    const studio = openStudio({ ...readEnv(), root, home });
    try {
      log(`storing a history of ${HISTORY} entries`);
      await seedHistory(studio, { entries: HISTORY });
      const rows = [...(await history(studio, log)), ...(await creates(studio, log))];
      await report('npm run bench -- studio', `Requests and a history of ${HISTORY} entries`, rows);
    } finally {
      await studio.close();
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Requests that come at their time whether or not the earlier ones were answered, as from many clients. */
async function creates(studio: Studio, log: Log): Promise<Row[]> {
  log(`${RATE} requests a second for ${SECONDS} s`);
  const before = await studio.db.read((r) => r.generation.count());
  const begin = performance.now();
  const latencies: number[] = [];
  const pending: Promise<unknown>[] = [];
  for (let i = 0; i < RATE * SECONDS; i++) {
    const due = begin + (i * 1000) / RATE;
    if (due > performance.now()) await sleep(due - performance.now());
    const request = generationRequestSchema.parse({ task: 'text-to-image', prompt: `a fox in meadow ${i}` });
    pending.push(createGeneration(studio, request).then(() => latencies.push(performance.now() - due)));
  }
  await Promise.all(pending);
  const seconds = (performance.now() - begin) / 1000;
  const stored = (await studio.db.read((r) => r.generation.count())) - before;
  return [
    [
      'requests sent / answered / stored',
      `${pending.length} / ${latencies.length} / ${stored}`,
      'none may be missing',
    ],
    [
      'all answered after',
      `${seconds.toFixed(1)} s`,
      `${(stored / seconds).toFixed(0)} a second; each is synced to the disk before its answer`,
    ],
    [
      'answer, median / p95',
      `${percentile(latencies, 0.5)} / ${percentile(latencies, 0.95)} ms`,
      'from the moment the request was due',
    ],
  ];
}

async function history(studio: Studio, log: Log): Promise<Row[]> {
  const queries: Record<string, Partial<Record<keyof GenerationQuery, string>>> = {
    'newest page': {},
    'page in the middle': { cursor: (await cursorAt(studio, HISTORY / 2)) ?? '' },
    'two words, found often': { q: 'fox meadow' },
    'a word found rarely': { q: `number ${HISTORY / 10},` },
    'a word found nowhere': { q: 'zebra' },
    'a model used rarely': { model: 'rare' },
    'failed ones': { status: 'failed' },
    'starred with a word': { starred: 'true', q: 'robot' },
  };
  const rows: Row[] = [];
  for (const [name, query] of Object.entries(queries)) {
    const parsed = generationQuerySchema.parse(query);
    const times: number[] = [];
    let found = 0;
    for (let i = 0; i < ROUNDS; i++) {
      const start = performance.now();
      found = (await listGenerations(studio, parsed)).items.length;
      times.push(performance.now() - start);
    }
    log(`${name}: p95 ${percentile(times, 0.95)} ms`);
    const figure = `${percentile(times, 0.5)} / ${percentile(times, 0.95)} ms`;
    rows.push([`history, ${name}: median / p95`, figure, `${found} entries of a page of ${parsed.limit}`]);
  }
  return rows;
}

async function cursorAt(studio: Studio, entry: number): Promise<string | null> {
  let cursor: string | null = null;
  for (let seen = 0; seen < entry; seen += 200) {
    const query = { limit: '200', ...(cursor === null ? {} : { cursor }) };
    ({ nextCursor: cursor } = await listGenerations(studio, generationQuerySchema.parse(query)));
  }
  return cursor;
}

function percentile(values: number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}
