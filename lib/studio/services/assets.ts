import { readFile, stat } from '../disk.ts';
import { makeZip } from 'client-zip';
import { EncoreError } from '../../contracts/errors.ts';
import type { ModelKind } from '../../contracts/models.ts';
import type { BulkExport, ExportQuery, PictureInfo } from '../../contracts/studio.ts';
import { exportPicture } from '../../media/export.ts';
import { readPicture } from '../../media/read-picture.ts';
import { blankComment } from '../../media/video-comment.ts';
import { extensionOf, isMediaType, type MediaType, POSTER_TYPE } from '../assets/store.ts';
import type { ThumbnailSide } from '../assets/thumbnails.ts';
import { portions } from '../db/portions.ts';
import { isDiskFull } from '../storage-full.ts';
import type { Studio } from '../studio.ts';

/** A file that may be sent. `path` lies in the data directory; `hash` never changes for it, so it is its ETag. */
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
  const { hash, type, bytes, stem } = await findAsset(studio, id);
  return {
    path: studio.assets.path(hash, type),
    type,
    bytes,
    hash,
    fileName: `${stem}.${extensionOf(type)}`,
  };
}

/** Of a video its poster. @throws EncoreError `not_found` */
export async function getThumbnail(studio: Studio, id: string, side: ThumbnailSide): Promise<AssetFile> {
  const asset = await findAsset(studio, id);
  return thumbnailOf(studio, asset.posterHash === null ? asset : posterOf(asset, asset.posterHash), side);
}

/** A frame of a video, in its size. @throws EncoreError `not_found`, also for a picture */
export async function getPoster(studio: Studio, id: string): Promise<AssetFile> {
  const asset = await findAsset(studio, id);
  if (asset.posterHash === null) throw new EncoreError('not_found', `Asset ${id} is no video.`);
  const { hash, type, stem } = posterOf(asset, asset.posterHash);
  const path = studio.assets.path(hash, type);
  const { size } = await stat(path).catch(fileIsGone);
  return { path, type, bytes: size, hash, fileName: `${stem}.${extensionOf(type)}` };
}

/** A webp that fits into a square of `side` pixels; as it is where it fits already, or the disk has no room for another. */
export async function thumbnailOf(
  studio: Studio,
  { hash, type, width, height, stem }: Pick<FoundAsset, 'hash' | 'type' | 'width' | 'height' | 'stem'>,
  side: ThumbnailSide,
): Promise<AssetFile> {
  const original = studio.assets.path(hash, type);
  const fits = width <= side && height <= side;
  const small = fits
    ? null
    : await studio.thumbnails
        .get(original, hash, side)
        .catch((error: unknown) => (isDiskFull(error) ? null : fileIsGone(error)));
  if (small === null) {
    const { size } = await stat(original).catch(fileIsGone);
    return { path: original, type, bytes: size, hash, fileName: `${stem}.${extensionOf(type)}` };
  }
  return { ...small, type: 'image/webp', hash: `${hash}-${side}`, fileName: `${stem}-${side}.webp` };
}

function posterOf({ width, height, stem }: FoundAsset, hash: string) {
  return { hash, type: POSTER_TYPE as MediaType, width, height, stem: `${stem}-poster` };
}

/** A picture in another format, or a video in its own; with or without what made it. @throws EncoreError `not_found` */
export async function exportAsset(
  studio: Studio,
  id: string,
  { format, metadata }: ExportQuery,
): Promise<{ bytes: Buffer; type: string; fileName: string }> {
  const { hash, type, stem } = await findAsset(studio, id);
  const file = await readFile(studio.assets.path(hash, type)).catch(fileIsGone);
  if (type !== 'image/png') {
    // Animations that are no video files carry no comment.
    const bytes = metadata ? file : blankComment(file);
    return { bytes, type, fileName: `${stem}.${extensionOf(type)}` };
  }
  const extension = format === 'jpeg' ? 'jpg' : format;
  return {
    bytes: await exportPicture(file, format, metadata),
    type: `image/${format}`,
    fileName: `${stem}.${extension}`,
  };
}

/**
 * The pictures of some generations as one zip file, made while it is read. Those that are gone are left out; two of one
 * name are numbered.
 * @throws EncoreError `not_found` when there is no picture at all
 */
export async function exportGenerations(
  studio: Studio,
  { ids, ...query }: BulkExport,
): Promise<ReadableStream<Uint8Array>> {
  const assets = await studio.db.read(async (r) => {
    const found = [];
    for (const some of portions(ids)) {
      found.push(
        ...(await r.asset.findMany({
          where: { generation: { id: { in: some }, deletedAt: null } },
          select: { id: true, createdAt: true, generationId: true, index: true },
        })),
      );
    }
    return found;
  });
  if (assets.length === 0)
    throw new EncoreError('not_found', `None of these ${ids.length} generations has a picture.`);
  const place = new Map(ids.map((id, i) => [id, i]));
  const order = (generationId: string) => place.get(generationId) ?? 0;
  assets.sort((a, b) => order(a.generationId) - order(b.generationId) || a.index - b.index);
  return makeZip(files(studio, assets, query));
}

async function* files(
  studio: Studio,
  assets: readonly { id: string; createdAt: Date }[],
  query: ExportQuery,
): AsyncGenerator<{ name: string; lastModified: Date; input: Uint8Array }, void, void> {
  const used = new Map<string, number>();
  for (const { id, createdAt } of assets) {
    const picture = await exportAsset(studio, id, query).catch((error: unknown) => {
      if (error instanceof EncoreError && error.code === 'not_found') return null;
      throw error;
    });
    if (picture === null) continue;
    const { fileName, bytes } = picture;
    const times = (used.get(fileName) ?? 0) + 1;
    used.set(fileName, times);
    const name = times === 1 ? fileName : fileName.replace(/(\.\w+)$/, `-${times}$1`);
    yield { name, lastModified: createdAt, input: bytes };
  }
}

/**
 * What a picture from anywhere says about how it was made, with model and LoRAs as they are called here: those of that
 * name, whatever the case and a file's ending, or none.
 * @throws EncoreError `invalid_parameter` for what is no picture
 */
export async function readPictureInfo(studio: Studio, file: Uint8Array): Promise<PictureInfo> {
  const { params, ...info } = await readPicture(file);
  const installed = (await studio.models.list()).map(({ item }) => item);
  const find = (kind: ModelKind, name: string) =>
    installed.find(
      (item) =>
        item.kind === kind && [item.id, item.name].some((known) => modelKey(known) === modelKey(name)),
    );
  const model = info.modelName === null ? undefined : find('model', info.modelName);
  const loras = (params.loras ?? []).flatMap((lora) => {
    const id = find('lora', lora.id)?.id;
    return id === undefined ? [] : [{ ...lora, id }];
  });
  return {
    ...info,
    params: { ...params, model: model?.id, loras: loras.length === 0 ? undefined : loras },
  };
}

interface FoundAsset {
  hash: string;
  type: MediaType;
  bytes: number;
  width: number;
  height: number;
  posterHash: string | null;
  /** File name without its ending. */
  stem: string;
}

async function findAsset(studio: Studio, id: string): Promise<FoundAsset> {
  const row = await studio.db.read((r) =>
    r.asset.findUnique({
      where: { id },
      select: {
        hash: true,
        type: true,
        bytes: true,
        width: true,
        height: true,
        seed: true,
        posterHash: true,
        generation: { select: { prompt: true } },
      },
    }),
  );
  if (row === null || !isMediaType(row.type)) {
    throw new EncoreError('not_found', `There is no asset ${id.slice(0, 80)}.`);
  }
  const { generation, seed, type, ...rest } = row;
  const words = generation.prompt
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g) ?? ['picture'];
  return { ...rest, type, stem: `${words.join('-').slice(0, 60)}-${seed}` };
}

function modelKey(name: string): string {
  const base = name.split(/[\\/]/).at(-1) ?? name;
  return base.toLowerCase().replace(/\.(safetensors|ckpt)$/, '');
}

export function fileIsGone(cause: unknown): never {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
    throw new EncoreError('not_found', 'The file of this asset is no longer in the data directory.', {
      cause,
    });
  }
  throw cause;
}
