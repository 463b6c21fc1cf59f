import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ended, eventually, repository, startScript } from '../../support/process.ts';
import { testStudio } from '../../support/studio.ts';

test('kill -9 of a process that stores requests: every one it answered is there, whole, and none is half there', async () => {
  const studio = await testStudio();
  for (let round = 1; round <= 3; round++) {
    const script = join(repository, 'test/support/creator.ts');
    const creator = startScript(script, { ENCORE_HOME: studio.env.home }, repository, [studio.env.root]);
    await eventually(() => creator.output().split('\n').length > 10 * round, 'some answers');
    creator.kill('SIGKILL');
    await ended(creator);
    const answered = creator.output().split('\n').slice(0, -1);
    const rows = await studio.db.read((r) =>
      r.generation.findMany({ where: { status: 'queued' }, select: { id: true } }),
    );
    const stored = new Set(rows.map(({ id }) => id));
    expect(answered.filter((id) => !stored.has(id))).toEqual([]);
    const events = await studio.db.read((r) => r.event.findMany({ select: { generationId: true } }));
    expect(new Set(events.map(({ generationId }) => generationId))).toEqual(stored);
  }
});
