import { onTestFinished } from 'vitest';
import { startHub, type HubServer } from './hub-server.ts';

export { COMMIT, sha256, type HubServer } from './hub-server.ts';

/** {@link startHub} for one test. */
export async function hubServer(repo: string, files: Readonly<Record<string, Buffer>>): Promise<HubServer> {
  const hub = await startHub(repo, files);
  onTestFinished(hub.close);
  return hub;
}
