import { EncoreError } from '../../contracts/errors.ts';
import { extensionOf, isMediaType } from '../assets/store.ts';
import type { Studio } from '../studio.ts';

/** A file that may be sent. `path` lies in the asset folder; `hash` never changes for it, so it is its ETag. */
export interface AssetFile {
  path: string;
  type: string;
  bytes: number;
  hash: string;
  /** What a download is called: from the prompt's words and the seed. */
  fileName: string;
}

/** @throws EncoreError `not_found` */
export async function getAssetFile(studio: Studio, id: string): Promise<AssetFile> {
  const row = await studio.db.read((r) =>
    r.asset.findUnique({
      where: { id },
      select: { hash: true, type: true, bytes: true, seed: true, generation: { select: { prompt: true } } },
    }),
  );
  if (row === null || !isMediaType(row.type))
    throw new EncoreError('not_found', `There is no asset ${id.slice(0, 80)}.`);
  const { hash, type, bytes, seed, generation } = row;
  const words = generation.prompt
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g) ?? ['picture'];
  const fileName = `${words.join('-').slice(0, 60)}-${seed}.${extensionOf(type)}`;
  return { path: studio.assets.path(hash, type), type, bytes, hash, fileName };
}
