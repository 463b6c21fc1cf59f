import { EncoreError } from '../../contracts/errors.ts';
import type { GenerationParams } from '../../contracts/generation.ts';
import type { PictureFile } from '../../contracts/pictures.ts';
import { isMediaType, type MediaType } from '../assets/store.ts';
import type { ThumbnailSide } from '../assets/thumbnails.ts';
import type { Reader, Tx } from '../db/database.ts';
import type { InputRow } from '../db/rows.ts';
import { toPicture } from '../serialize.ts';
import type { Studio } from '../studio.ts';
import { type AssetFile, thumbnailOf } from './assets.ts';

/** A picture by content, whatever its id named. */
export type FoundPicture = Omit<InputRow, 'field' | 'pictureId'>;

/**
 * What an id names that a request may draw from: an upload, a picture of the history, or one that something of the
 * history was made from, though it was deleted as such. Null for anything else, videos among it.
 */
export async function findPicture(
  r: Pick<Reader | Tx, 'upload' | 'asset' | 'generationInput'>,
  id: string,
): Promise<FoundPicture | null> {
  const select = { hash: true, type: true, width: true, height: true, bytes: true } as const;
  const found =
    (await r.upload.findUnique({ where: { id, deletedAt: null }, select })) ??
    (await r.asset.findUnique({ where: { id, frames: null, generation: { deletedAt: null } }, select })) ??
    (await r.generationInput.findFirst({ where: { pictureId: id }, select }));
  return found !== null && isMediaType(found.type) && found.type.startsWith('image/') ? found : null;
}

/** The pictures that a request names, with their places in it. */
export function picturesOf({
  image,
  mask,
  control = [],
}: Pick<GenerationParams, 'image' | 'mask' | 'control'>): { field: string; pictureId: string }[] {
  return [
    ...(image === undefined ? [] : [{ field: 'image', pictureId: image }]),
    ...(mask === undefined ? [] : [{ field: 'mask', pictureId: mask }]),
    ...control.map(({ image }, i) => ({ field: `control.${i}.image`, pictureId: image })),
  ];
}

/**
 * The files behind the pictures of a request.
 * @throws EncoreError `invalid_parameter` with the path of each that is not there
 */
export async function resolvePictures(tx: Tx, params: GenerationParams): Promise<InputRow[]> {
  const inputs: InputRow[] = [];
  const errors: { path: string; message: string }[] = [];
  for (const named of picturesOf(params)) {
    const found = await findPicture(tx, named.pictureId);
    if (found === null) errors.push({ path: named.field, message: 'there is no such picture' });
    else inputs.push({ ...named, ...found });
  }
  if (errors.length === 0) return inputs;
  throw new EncoreError(
    'invalid_parameter',
    errors.map(({ path, message }) => `${path}: ${message}`).join('; '),
    { remedy: 'Upload the picture, or choose one of the history.', errors },
  );
}

/** @throws EncoreError `not_found` */
export async function getPicture(studio: Studio, id: string): Promise<PictureFile> {
  return toPicture({ id, ...(await requirePicture(studio, id)) });
}

/** @throws EncoreError `not_found` */
export async function getPictureFile(studio: Studio, id: string): Promise<AssetFile> {
  const { hash, type, bytes } = await requirePicture(studio, id);
  const path = studio.assets.path(hash, type);
  return { path, type, bytes, hash, fileName: path.split(/[\\/]/).at(-1) ?? hash };
}

/** @throws EncoreError `not_found` */
export async function getPictureThumbnail(
  studio: Studio,
  id: string,
  side: ThumbnailSide,
): Promise<AssetFile> {
  const { type, ...found } = await requirePicture(studio, id);
  return thumbnailOf(studio, { ...found, type: type as MediaType, stem: id }, side);
}

/** @throws EncoreError `not_found` */
export async function requirePicture(studio: Studio, id: string): Promise<FoundPicture> {
  const found = await studio.db.read((r) => findPicture(r, id));
  if (found === null) throw new EncoreError('not_found', `There is no picture ${id.slice(0, 80)}.`);
  return found;
}
