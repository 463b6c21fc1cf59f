/** A worker process that fetches from the hub until it is killed. */
import { readEnv } from '../../lib/studio/env.ts';
import { openStudio } from '../../lib/studio/studio.ts';
import { runInstallLoop } from '../../workers/install-loop.ts';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const studio = openStudio(readEnv());
process.stdout.write('ready\n');
await runInstallLoop({ studio, log: quiet, signal: new AbortController().signal, pollMs: 20 });
