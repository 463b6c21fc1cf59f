import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createGeneration } from '../../../lib/studio/services/index.ts';
import { ended, repository, startScript } from '../../support/process.ts';
import { aRequest, testStudio } from '../../support/studio.ts';

const JOBS = 1000;

test('three worker processes on one database run each of 1,000 jobs exactly once', async () => {
  const studio = await testStudio();
  const made = await Promise.all(
    Array.from({ length: JOBS }, (_, i) => createGeneration(studio, aRequest({ prompt: `picture ${i}` }))),
  );
  const workers = [1, 2, 3].map(() =>
    startScript(join(repository, 'test/support/claimer.ts'), { ENCORE_HOME: studio.env.home }),
  );
  expect(await Promise.all(workers.map(ended))).toEqual([0, 0, 0]);

  const ran = workers.map((worker) => worker.output().trim().split('\n'));
  expect(ran.flat().sort()).toEqual(made.map(({ generation }) => generation.id).sort());
  // All of them took part, or the test would show nothing.
  for (const ids of ran) expect(ids.length).toBeGreaterThan(JOBS / 20);
  const odd = { OR: [{ status: { not: 'succeeded' } }, { attempt: { not: 1 } }] };
  expect(await studio.db.read((r) => r.generation.count({ where: odd }))).toBe(0);
  expect(await studio.db.read((r) => r.asset.count())).toBe(JOBS);
}, 300_000);
