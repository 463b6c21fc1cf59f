import { randomUUID } from 'node:crypto';
import { EncoreError } from '../../contracts/errors.ts';
import {
  type Upload,
  type UploadList,
  type UploadListQuery,
  uploadLimits,
} from '../../contracts/pictures.ts';
import { uprightPicture } from '../../media/upload.ts';
import { cursorAfter, readCursor } from '../cursor.ts';
import { type UploadRow, uploadColumns } from '../db/rows.ts';
import { oneAtATime } from '../one-at-a-time.ts';
import { toPicture } from '../serialize.ts';
import type { Studio } from '../studio.ts';

/** A decoded picture has up to 200 MB: however many are sent at once, one is open. */
const decoding = oneAtATime();

/**
 * Keeps a picture to draw from. The same picture sent again is the upload that is already there.
 * @param name of the file it was; only shown
 * @returns `created` is false when it was there
 * @throws EncoreError `invalid_parameter`, `payload_too_large`, `storage_full` also when there are too many
 */
export async function createUpload(
  studio: Studio,
  file: Uint8Array,
  name: string,
): Promise<{ upload: Upload; created: boolean }> {
  const picture = await decoding(() => uprightPicture(file));
  return keepPicture(studio, picture, name);
}

/** Keeps a picture that was made here. */
export async function keepPicture(
  studio: Studio,
  { file, width, height }: { file: Uint8Array; width: number; height: number },
  name: string,
): Promise<{ upload: Upload; created: boolean }> {
  await studio.requireSpace();
  // The file first: a row never names one that is not there.
  const { hash, type, bytes } = await studio.assets.put(file, 'image/png');
  return studio.db.write(async (tx) => {
    const lastUsedAt = new Date(studio.now());
    const known = await tx.upload.findUnique({ where: { hash }, select: { id: true, deletedAt: true } });
    if (known !== null) {
      const row = await tx.upload.update({
        where: { hash },
        data: { lastUsedAt, deletedAt: null },
        select: uploadColumns,
      });
      return { upload: toUpload(row), created: known.deletedAt !== null };
    }
    if ((await tx.upload.count({ where: { deletedAt: null } })) >= uploadLimits.maxUploads) {
      throw new EncoreError('storage_full', `${uploadLimits.maxUploads} uploads are kept already.`, {
        remedy: 'Delete some that you do not need.',
      });
    }
    const row = await tx.upload.create({
      data: {
        id: randomUUID(),
        name: plainName(name),
        hash,
        type,
        width,
        height,
        bytes,
        createdAt: lastUsedAt,
        lastUsedAt,
      },
      select: uploadColumns,
    });
    return { upload: toUpload(row), created: true };
  });
}

/** Newest first. @throws EncoreError `invalid_request` for a cursor that is not one of ours */
export async function listUploads(studio: Studio, { cursor, limit }: UploadListQuery): Promise<UploadList> {
  const before = cursor === undefined ? undefined : readCursor('upload', cursor);
  const rows = await studio.db.read((r) =>
    r.upload.findMany({
      where: { deletedAt: null, ...(before === undefined ? {} : { seq: { lt: before } }) },
      select: uploadColumns,
      orderBy: { seq: 'desc' },
      take: limit + 1,
    }),
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(toUpload),
    nextCursor: rows.length > limit && last !== undefined ? cursorAfter('upload', last.seq) : null,
  };
}

/** @throws EncoreError `not_found` */
export async function getUpload(studio: Studio, id: string): Promise<Upload> {
  const row = await studio.db.read((r) =>
    r.upload.findUnique({ where: { id, deletedAt: null }, select: uploadColumns }),
  );
  if (row === null) throw notFound(id);
  return toUpload(row);
}

/** What was made from it keeps the picture; sending it again brings it back. @throws EncoreError `not_found` */
export async function deleteUpload(studio: Studio, id: string): Promise<void> {
  const { count } = await studio.db.write((tx) =>
    tx.upload.updateMany({ where: { id, deletedAt: null }, data: { deletedAt: new Date(studio.now()) } }),
  );
  if (count === 0) throw notFound(id);
}

function toUpload(row: UploadRow): Upload {
  return { ...toPicture(row), name: row.name, createdAt: row.createdAt.toISOString() };
}

/** Without folders, ending and control characters. */
function plainName(name: string): string {
  const base = name.split(/[\\/]/).at(-1) ?? '';
  return base
    .replace(/\.\w{1,5}$/, '')
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, 200);
}

function notFound(id: string): EncoreError {
  return new EncoreError('not_found', `There is no upload ${id.slice(0, 80)}.`);
}
