import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, mkdir, open, readdir, rename, rm, stat, statfs } from '../disk.ts';
import { join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { orStorageFull } from '../storage-full.ts';
import { syncFolder } from '../sync-folder.ts';

/** Media types that are stored, and the extension that their files carry. */
const extensions = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
} as const;
export type MediaType = keyof typeof extensions;
const mediaTypes = Object.keys(extensions) as MediaType[];

/** The frame that stands for a video. */
export const POSTER_TYPE = 'image/webp';

export interface StoredFile {
  /** sha256 of the content, hex: the file's name. */
  hash: string;
  type: MediaType;
  bytes: number;
}

/** Temporary files older than this belong to nobody: their writer was killed. */
const STALE_MS = 60 * 60 * 1000;

/** A burst of requests asks the file system once. */
const FREE_FOR_MS = 1_000;

/**
 * Files of the studio, named by their content: `assets/3f/3f7a....png` below the data directory. Names come from
 * hashes and a closed list of types only, so no request can lead out of the folder.
 */
export class AssetStore {
  readonly #folder: string;
  #free: { at: number; bytes: Promise<number> } | undefined;

  constructor(home: string) {
    this.#folder = join(home, 'assets');
  }

  /**
   * Stores a file and returns when it is on the disk under its name. Storing the same content twice is harmless.
   * @throws EncoreError `storage_full`
   */
  async put(content: Uint8Array, type: MediaType): Promise<StoredFile> {
    const hash = createHash('sha256').update(content).digest('hex');
    const temporary = join(this.#folder, 'tmp', randomUUID());
    try {
      await mkdir(join(this.#folder, 'tmp'), { recursive: true });
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#keep(temporary, hash, type);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw orStorageFull(error, `a file of ${content.byteLength} bytes`);
    }
    return { hash, type, bytes: content.byteLength };
  }

  /**
   * Stores a file that `write` makes at the path it is given, synced to the disk.
   * @throws EncoreError `storage_full`, and whatever `write` throws
   */
  async putFile(type: MediaType, write: (path: string) => Promise<void>): Promise<StoredFile> {
    const temporary = join(this.#folder, 'tmp', `${randomUUID()}.${extensions[type]}`);
    try {
      await mkdir(join(this.#folder, 'tmp'), { recursive: true });
      await write(temporary);
      const digest = createHash('sha256');
      for await (const chunk of createReadStream(temporary)) digest.update(chunk as Buffer);
      const { size } = await stat(temporary);
      const hash = digest.digest('hex');
      await this.#keep(temporary, hash, type);
      return { hash, type, bytes: size };
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw orStorageFull(error, 'a video');
    }
  }

  async #keep(temporary: string, hash: string, type: MediaType): Promise<void> {
    const target = this.path(hash, type);
    await mkdir(join(target, '..'), { recursive: true });
    await rename(temporary, target);
    await syncFolder(join(target, '..'));
  }

  /** Where a stored file lies. @throws EncoreError `not_found` for anything that is not one of our names */
  path(hash: string, type: string): string {
    if (!/^[0-9a-f]{64}$/.test(hash) || !isMediaType(type)) {
      throw new EncoreError(
        'not_found',
        `There is no file ${hash.slice(0, 80)} of type ${type.slice(0, 80)}.`,
      );
    }
    // Else the web server's build takes every file below the working folder for a part of it, weights included.
    return join(/* turbopackIgnore: true */ this.#folder, hash.slice(0, 2), `${hash}.${extensions[type]}`);
  }

  async exists(hash: string, type: string): Promise<boolean> {
    return stat(this.path(hash, type)).then(
      () => true,
      () => false,
    );
  }

  /** Removes a file that no row names any more, unless it was just written by someone whose row is still to come. */
  async remove(hash: string, type: string, now: number): Promise<void> {
    const path = this.path(hash, type);
    const age = await stat(path).then(
      ({ mtimeMs }) => now - mtimeMs,
      () => null,
    );
    if (age !== null && age > STALE_MS) await rm(path, { force: true });
  }

  /** Files whose hash begins with this hex digit and that were stored at this time (ms) or later. */
  async listSince(digit: string, since: number): Promise<{ hash: string; type: MediaType }[]> {
    const found = [];
    for (const folder of await readdir(this.#folder).catch(() => [])) {
      if (!/^[0-9a-f]{2}$/.test(folder) || !folder.startsWith(digit)) continue;
      for (const name of await readdir(join(this.#folder, folder))) {
        const [hash = '', extension] = name.split('.');
        const type = mediaTypes.find((known) => extensions[known] === extension);
        if (type === undefined || !/^[0-9a-f]{64}$/.test(hash)) continue;
        const info = await stat(join(this.#folder, folder, name)).catch(() => null);
        if (info !== null && info.mtimeMs >= since) found.push({ hash, type });
      }
    }
    return found;
  }

  /** Removes what killed writers left behind. Returns how many files. */
  async sweep(now: number): Promise<number> {
    const folder = join(this.#folder, 'tmp');
    const names = await readdir(folder).catch(() => []);
    let removed = 0;
    for (const name of names) {
      const path = join(folder, name);
      const info = await stat(path).catch(() => null);
      if (info === null || now - info.mtimeMs < STALE_MS) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  /** Bytes that can still be written here, as of at most a second ago. */
  freeBytes(): Promise<number> {
    if (this.#free === undefined || Date.now() - this.#free.at > FREE_FOR_MS) {
      this.#free = { at: Date.now(), bytes: this.#measureFree() };
    }
    return this.#free.bytes;
  }

  async #measureFree(): Promise<number> {
    await mkdir(this.#folder, { recursive: true });
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }
}

export function isMediaType(type: string): type is MediaType {
  return Object.hasOwn(extensions, type);
}

export function extensionOf(type: MediaType): string {
  return extensions[type];
}
