import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from '../disk.ts';
import { join } from '../disk.ts';
import { thumbnailSides } from '../../contracts/studio.ts';
import { thumbnail } from '../../media/thumbnail.ts';

export type ThumbnailSide = (typeof thumbnailSides)[number];

/**
 * Small copies of pictures, made when they are first asked for. They lie in the cache folder, which may be deleted at any
 * time.
 */
export class ThumbnailCache {
  readonly #folder: string;
  /** Being made now, so that a page that asks twice has it made once. */
  readonly #making = new Map<string, Promise<void>>();

  constructor(home: string) {
    this.#folder = join(home, 'cache', 'thumbnails');
  }

  /** @param original path of the picture, whose content has this hash */
  async get(original: string, hash: string, side: ThumbnailSide): Promise<{ path: string; bytes: number }> {
    const path = this.#path(hash, side);
    let info = await stat(path).catch(() => null);
    if (info === null) {
      const making = this.#making.get(path) ?? this.#make(original, path, side);
      this.#making.set(path, making);
      await making.finally(() => this.#making.delete(path));
      info = await stat(path);
    }
    return { path, bytes: info.size };
  }

  async remove(hash: string): Promise<void> {
    await Promise.all(thumbnailSides.map((side) => rm(this.#path(hash, side), { force: true })));
  }

  async #make(original: string, path: string, side: ThumbnailSide): Promise<void> {
    await mkdir(join(path, '..'), { recursive: true });
    const temporary = `${path}.${randomUUID()}`;
    try {
      await writeFile(temporary, await thumbnail(await readFile(original), side));
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  #path(hash: string, side: ThumbnailSide): string {
    return join(this.#folder, hash.slice(0, 2), `${hash}-${side}.webp`);
  }
}
