import { randomUUID } from 'node:crypto';
import { EncoreError } from '../../contracts/errors.ts';
import type { Installation, InstallationList, InstallRequest } from '../../contracts/models.ts';
import type { Tx } from '../db/database.ts';
import { installColumns, NO_JSON } from '../db/rows.ts';
import { announceInstall, toInstallation } from '../jobs/install-queue.ts';
import type { Studio } from '../studio.ts';

/** Shown and kept; older ones that are over go from the list. */
const MAX_INSTALLS = 500;

/**
 * Asks for a repository of the hub; a worker fetches it. Asked again while it is on its way, it is the same install.
 * @throws EncoreError `queue_full`
 */
export async function requestInstall(
  studio: Studio,
  { repo, revision, file: path }: InstallRequest,
): Promise<Installation> {
  const file = path ?? null;
  return studio.db.write(async (tx) => {
    const same = await tx.install.findFirst({
      where: { repo, revision, file, status: { in: ['queued', 'running', 'paused'] } },
      select: installColumns,
    });
    if (same !== null) return toInstallation(same);
    await makeRoom(studio, tx);
    const id = randomUUID();
    const createdAt = new Date(studio.now());
    await tx.install.create({ data: { id, repo, revision, file, status: 'queued', createdAt } });
    return announceInstall(tx, id, studio.now());
  });
}

/** Takes the oldest that is over off a full list. @throws EncoreError `queue_full` where none is */
async function makeRoom(studio: Studio, tx: Tx): Promise<void> {
  if ((await tx.install.count()) < MAX_INSTALLS) return;
  const oldest = await tx.install.findFirst({
    where: { status: { in: ['succeeded', 'failed', 'cancelled'] }, claimToken: null },
    select: { id: true },
    orderBy: { createdAt: 'asc' },
  });
  if (oldest === null) {
    throw new EncoreError('queue_full', `${MAX_INSTALLS} installs are on their way already.`, {
      remedy: 'Wait until some are done, or cancel some.',
    });
  }
  await announceInstall(tx, oldest.id, studio.now(), true);
  await tx.install.delete({ where: { id: oldest.id } });
}

/** Newest first, with what they may take on the disk, and do. */
export async function listInstalls(studio: Studio): Promise<InstallationList> {
  const rows = await studio.db.read((r) =>
    r.install.findMany({ select: installColumns, orderBy: { createdAt: 'desc' }, take: MAX_INSTALLS }),
  );
  const { address, token, budgetBytes } = studio.env.hub;
  return {
    items: rows.map(toInstallation),
    budgetBytes,
    usedBytes: await bytesFromHub(studio),
    hub: { address, hasToken: token !== undefined },
  };
}

/** What models from hubs take on the disk, and what has come of those on their way. */
export async function bytesFromHub(studio: Studio, except?: string): Promise<number> {
  const installed = (await studio.models.list()).filter(({ item }) => item.source === 'hub');
  const coming = await studio.db.read((r) =>
    r.install.findMany({
      where: { status: { in: ['queued', 'running', 'paused', 'failed'] }, id: { not: except ?? '' } },
      select: { bytesDone: true },
    }),
  );
  return (
    installed.reduce((sum, { item }) => sum + item.bytes, 0) +
    coming.reduce((sum, { bytesDone }) => sum + Number(bytesDone), 0)
  );
}

/** @throws EncoreError `not_found` */
export async function getInstall(studio: Studio, id: string): Promise<Installation> {
  const row = await studio.db.read((r) => r.install.findUnique({ where: { id }, select: installColumns }));
  if (row === null) throw notFound(id);
  return toInstallation(row);
}

/** What has come is kept. @throws EncoreError `not_found`, `conflict` when it neither waits nor runs */
export function pauseInstall(studio: Studio, id: string): Promise<Installation> {
  return change(studio, id, ['queued', 'running'], { status: 'paused', bytesPerSecond: null });
}

/** Goes on where it was. @throws EncoreError `not_found`, `conflict` when there is nothing to go on with */
export function resumeInstall(studio: Studio, id: string): Promise<Installation> {
  return change(studio, id, ['paused', 'failed', 'cancelled'], {
    status: 'queued',
    error: NO_JSON,
    finishedAt: null,
  });
}

/** What has come is thrown away. @throws EncoreError `not_found`, `conflict` when it is over */
export function cancelInstall(studio: Studio, id: string): Promise<Installation> {
  return change(studio, id, ['queued', 'running', 'paused', 'failed'], {
    status: 'cancelled',
    bytesDone: 0n,
    bytesPerSecond: null,
    currentFile: null,
    finishedAt: new Date(studio.now()),
  });
}

/** Takes it off the list, cancelled where it is not over. What is installed stays. @throws EncoreError `not_found` */
export async function deleteInstall(studio: Studio, id: string): Promise<void> {
  await studio.db.write(async (tx) => {
    if ((await tx.install.findUnique({ where: { id }, select: { id: true } })) === null) throw notFound(id);
    await announceInstall(tx, id, studio.now(), true);
    await tx.install.delete({ where: { id } });
  });
}

async function change(
  studio: Studio,
  id: string,
  from: string[],
  data: Parameters<Tx['install']['updateMany']>[0]['data'],
): Promise<Installation> {
  return studio.db.write(async (tx) => {
    const row = await tx.install.findUnique({ where: { id }, select: { status: true } });
    if (row === null) throw notFound(id);
    const { count } = await tx.install.updateMany({ where: { id, status: { in: from } }, data });
    if (count === 0) {
      throw new EncoreError('conflict', `The install is ${row.status}, which does not allow this.`);
    }
    return announceInstall(tx, id, studio.now());
  });
}

function notFound(id: string): EncoreError {
  return new EncoreError('not_found', `There is no install ${id.slice(0, 80)}.`);
}
