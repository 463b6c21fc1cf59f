/** A worker process that claims and finishes jobs until none is left, and prints the id of each one that it ran. */
import { readEnv } from '../../lib/studio/env.ts';
import { openStudio } from '../../lib/studio/studio.ts';
import { aPicture, aReceipt } from './fixtures.ts';

const studio = openStudio(readEnv());
for (;;) {
  const job = await studio.jobs.claim(`process ${process.pid}`);
  if (job === null) break;
  process.stdout.write(`${job.id}\n`);
  await studio.jobs.finish(job.token, [aPicture(1)], aReceipt());
}
await studio.close();
