import { createHash } from 'node:crypto';
import { createReadStream, mkdir, open, rename, rm, stat } from '../disk.ts';
import { dirname } from '../disk.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { EncoreError } from '../../contracts/errors.ts';
import type { HubClient, HubFile } from './client.ts';

export interface DownloadHooks {
  signal: AbortSignal;
  /** Bytes of this file that are on the disk now. */
  onBytes: (bytes: number) => void;
  /** First pause before a connection that broke is made anew, in ms; doubles with each that brought nothing. */
  retryMs?: number;
}

/** Connections in a row that bring nothing before it is given up. */
const MAX_FUTILE = 6;
const MAX_PAUSE_MS = 30_000;

/**
 * Fetches a file of a repository to `target`, which is there whole and with the content that the hub promised, or not at
 * all. What came before a broken connection or a killed process lies in `target.part` and is not fetched again.
 * @throws EncoreError `checkpoint_invalid` when the content is not what the hub promised, even fetched twice;
 * `storage_full`; `hub_refused` for what the hub does not give; `cancelled`
 */
export async function downloadFile(
  client: HubClient,
  { repo, commit }: { repo: string; commit: string },
  file: HubFile,
  target: string,
  hooks: DownloadHooks,
): Promise<void> {
  if ((await sizeOf(target)) === file.bytes) return hooks.onBytes(file.bytes);
  await mkdir(dirname(target), { recursive: true });
  const part = `${target}.part`;
  let mismatch: EncoreError | undefined;
  for (let round = 0; round < 2; round++) {
    const linked = await fetchAll(client, { repo, commit }, file, part, hooks);
    mismatch = await compare(part, file, linked, hooks.signal);
    if (mismatch === undefined) {
      await rename(part, target);
      return;
    }
    await rm(part, { force: true });
    hooks.onBytes(0);
  }
  throw mismatch ?? new EncoreError('internal', `${file.path} could not be compared`);
}

/** Until the part has all bytes. @returns the hash that the hub linked to it on the way */
async function fetchAll(
  client: HubClient,
  { repo, commit }: { repo: string; commit: string },
  file: HubFile,
  part: string,
  { signal, onBytes, retryMs = 1_000 }: DownloadHooks,
): Promise<string | null> {
  let linked: string | null = null;
  for (let futile = 0; ;) {
    const before = (await sizeOf(part)) ?? 0;
    onBytes(before);
    if (before === file.bytes && before > 0) return linked;
    if (before > file.bytes) {
      await rm(part, { force: true });
      continue;
    }
    try {
      const download = await client.open(repo, commit, file.path, before, signal);
      linked ??= download.linked;
      await append(download.body, part, download.from, file.bytes, onBytes);
      if (file.bytes === 0) return linked;
    } catch (error) {
      if (signal.aborted) throw new EncoreError('cancelled', 'Cancelled.', { cause: error });
      const known = storageError(error, file) ?? error;
      if (known instanceof EncoreError && !(known.code === 'hub_refused' && known.retryable)) throw known;
      const got = ((await sizeOf(part)) ?? 0) > before;
      futile = got ? 0 : futile + 1;
      if (futile >= MAX_FUTILE) {
        throw new EncoreError('hub_refused', `The connection broke ${futile} times: ${messageOf(error)}.`, {
          remedy: 'What has come so far is kept: resume it when the network is better.',
          retryable: true,
          cause: error,
        });
      }
      await sleep(Math.min(retryMs * 2 ** futile, MAX_PAUSE_MS), undefined, { signal }).catch(
        () => undefined,
      );
      if (signal.aborted) throw new EncoreError('cancelled', 'Cancelled.');
    }
  }
}

/** Writes from `from` on; what a server sends beyond the size it named is an error. */
async function append(
  body: AsyncIterable<unknown>,
  part: string,
  from: number,
  size: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const file = await open(part, from === 0 ? 'w' : 'r+');
  let at = from;
  try {
    for await (const chunk of body) {
      const bytes = chunk as Buffer;
      if (at + bytes.length > size) {
        throw new EncoreError('hub_refused', `More came than the ${size} bytes that the hub had named.`);
      }
      await file.write(bytes, 0, bytes.length, at);
      at += bytes.length;
      onBytes(at);
    }
  } finally {
    await file.sync().finally(() => file.close());
  }
  // A server that closes early and says nothing is a broken connection too.
  if (at < size) throw new Error(`the connection ended after ${at} of ${size} bytes`);
}

/** Undefined when the part is what the hub promised. */
async function compare(
  part: string,
  file: HubFile,
  linked: string | null,
  signal: AbortSignal,
): Promise<EncoreError | undefined> {
  const sha256 = createHash('sha256');
  const blob = createHash('sha1').update(`blob ${file.bytes}\0`);
  for await (const chunk of createReadStream(part, { highWaterMark: 1 << 20 })) {
    if (signal.aborted) throw new EncoreError('cancelled', 'Cancelled.');
    sha256.update(chunk as Buffer);
    blob.update(chunk as Buffer);
  }
  const [got, gotBlob] = [sha256.digest('hex'), blob.digest('hex')];
  const wrong = [file.sha256, linked].find((expected) => expected !== null && expected !== got);
  const differs =
    wrong !== undefined
      ? `its sha256 is ${got}, the hub says ${wrong}`
      : file.blobSha1 !== null && file.blobSha1 !== gotBlob
        ? `its git hash is ${gotBlob}, the hub says ${file.blobSha1}`
        : null;
  if (differs === null) return undefined;
  return new EncoreError('checkpoint_invalid', `${file.path} came damaged: ${differs}.`, {
    remedy: 'It was fetched twice. Try again later, or tell those who keep the hub.',
    retryable: true,
  });
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}

function storageError(error: unknown, { bytes }: HubFile): EncoreError | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') return undefined;
  return new EncoreError('storage_full', `There was no room for a file of ${bytes} bytes.`, {
    remedy: 'Free some space on the disk of the data directory, then resume.',
    retryable: true,
    cause: error,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
