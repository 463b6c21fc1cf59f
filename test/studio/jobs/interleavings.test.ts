import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import type { GenerationStatus } from '../../../lib/contracts/generation.ts';
import { type ClaimedJob, LEASE_MS } from '../../../lib/studio/jobs/queue.ts';
import { transitions } from '../../../lib/studio/jobs/states.ts';
import {
  cancelGeneration,
  createGeneration,
  deleteGeneration,
  restoreGeneration,
  retryGeneration,
} from '../../../lib/studio/services/index.ts';
import type { Studio } from '../../../lib/studio/studio.ts';
import { aPicture, aReceipt, aRequest, testClock, testStudio } from '../../support/studio.ts';

/** What users and two workers do, in any order and with workers that speak long after they lost a job. */
const actions = [
  'create',
  'claim',
  'heartbeat',
  'progress',
  'finish',
  'crash',
  'fail',
  'release',
  'cancel',
  'retry',
  'delete',
  'restore',
  'timePasses',
  'reap',
] as const;
const action = fc.record({ name: fc.constantFrom(...actions), which: fc.nat({ max: 7 }) });

/** Only these may refuse, and only so. */
async function refusable(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof EncoreError) || !['conflict', 'not_found'].includes(error.code)) throw error;
  });
}

async function checkHistory(studio: Studio): Promise<void> {
  const last = new Map<string, GenerationStatus>();
  for (const { event } of await studio.events.since(0, {}, 10_000)) {
    if (event.type !== 'status') continue;
    const { id, status } = event.generation;
    const before = last.get(id);
    if (before === undefined) expect(status).toBe('queued');
    else if (before !== status) expect(transitions[before] as readonly string[]).toContain(status);
    last.set(id, status);
  }
  const rows = await studio.db.read((r) => r.generation.findMany({ include: { assets: true } }));
  for (const row of rows) {
    expect(last.get(row.id)).toBe(row.status);
    expect(row.assets.length).toBe(row.status === 'succeeded' ? 2 : 0);
    expect(row.receipt !== null).toBe(row.status === 'succeeded');
    expect(row.claimToken !== null).toBe(['running', 'cancelling'].includes(row.status));
    expect(row.finishedAt !== null).toBe(['succeeded', 'failed', 'cancelled'].includes(row.status));
  }
}

test('whatever happens in whatever order: only allowed changes, one result for each job, and none is stuck', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 40 }), async (steps) => {
      await studio.db.write(async (tx) => {
        await tx.generation.deleteMany();
        await tx.event.deleteMany();
      });
      const ids: string[] = [];
      const claims: ClaimedJob[] = [];
      for (const { name, which } of steps) {
        const id = ids[which % Math.max(1, ids.length)] ?? 'none';
        const token = claims[which % Math.max(1, claims.length)]?.token ?? 'none';
        clock.pass(1);
        switch (name) {
          case 'create':
            ids.push((await createGeneration(studio, aRequest())).generation.id);
            break;
          case 'claim': {
            const job = await studio.jobs.claim(`worker ${which % 2}`);
            if (job !== null) claims.push(job);
            break;
          }
          case 'heartbeat':
            await studio.jobs.heartbeat(token);
            break;
          case 'progress':
            await studio.jobs.progress(token, {
              progress: 0.5,
              step: 1,
              steps: 2,
              etaSeconds: 1,
              stage: 'denoise',
            });
            break;
          case 'finish':
            await studio.jobs.finish(token, [aPicture(1), aPicture(2)], aReceipt());
            break;
          case 'crash':
            await studio.jobs.fail(token, new EncoreError('engine_lost', 'gone'));
            break;
          case 'fail':
            await studio.jobs.fail(token, new Error('unknown'));
            break;
          case 'release':
            await studio.jobs.release(token);
            break;
          case 'cancel':
            await refusable(cancelGeneration(studio, id));
            break;
          case 'retry':
            await refusable(retryGeneration(studio, id));
            break;
          case 'delete':
            await refusable(deleteGeneration(studio, id));
            break;
          case 'restore':
            await refusable(restoreGeneration(studio, id));
            break;
          case 'timePasses':
            clock.pass(LEASE_MS / 2);
            break;
          case 'reap':
            await studio.jobs.reap();
            break;
        }
      }
      await checkHistory(studio);

      // Every worker is gone; a new one works through what is left.
      clock.pass(LEASE_MS + 1);
      await studio.jobs.reap();
      for (let job = await studio.jobs.claim('new'); job !== null; job = await studio.jobs.claim('new')) {
        await studio.jobs.finish(job.token, [aPicture(1), aPicture(2)], aReceipt());
      }
      await checkHistory(studio);
      const open = { status: { in: ['queued', 'running', 'cancelling'] } };
      expect(await studio.db.read((r) => r.generation.count({ where: open }))).toBe(0);
    }),
    { numRuns: 25 },
  );
}, 180_000);
