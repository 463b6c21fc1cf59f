/** A web process that stores requests as fast as it can and prints the id of each one that it has answered. */
import { createGeneration, readEnv } from '../../lib/studio/services/index.ts';
import { openStudio } from '../../lib/studio/studio.ts';
import { aRequest } from './fixtures.ts';

const studio = openStudio({ ...readEnv(), root: process.argv[2] ?? '.' });
for (let i = 0; ; i++) {
  const answers = await Promise.all(
    [1, 2, 3].map((n) => createGeneration(studio, aRequest({ prompt: `${i}.${n}` }))),
  );
  process.stdout.write(answers.map(({ generation }) => `${generation.id}\n`).join(''));
}
