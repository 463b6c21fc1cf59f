import { EncoreError, type SerializedError } from '../contracts/errors.ts';
import type {
  Asset,
  Comparison,
  Generation,
  GenerationParams,
  GenerationStatus,
  Problem,
  Receipt,
} from '../contracts/generation.ts';
import type { PictureFile } from '../contracts/pictures.ts';
import type { TaskName } from '../contracts/task-inputs.ts';
import type { AssetRow, GenerationRow, InputRow } from './db/rows.ts';

/** A row as the API shows it. JSON columns were written through their schemas by lib/studio, so they are only typed. */
export function toGeneration(row: GenerationRow, queuePosition: number | null): Generation {
  const params = row.params as GenerationParams;
  return {
    id: row.id,
    task: row.task as TaskName,
    status: row.status as GenerationStatus,
    progress: row.progress,
    step: row.step,
    etaSeconds: row.etaSeconds,
    queuePosition: row.status === 'queued' ? queuePosition : null,
    attempt: row.attempt,
    params,
    seed: params.seed,
    starred: row.starred,
    boardId: row.boardId,
    verifies: row.verifiesId,
    verifiedBy: row.verifiedBy?.deletedAt === null ? row.verifiedBy.id : null,
    comparison: row.comparison as Comparison | null,
    inputs: row.inputs.map((input) => ({
      field: input.field,
      ...toPicture({ ...input, id: input.pictureId }),
    })),
    assets: row.assets.map(toAsset),
    receipt: row.receipt as Receipt | null,
    error: row.error === null ? null : toProblem(EncoreError.from(row.error)),
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

function toAsset(row: AssetRow): Asset {
  return {
    id: row.id,
    type: row.type,
    width: row.width,
    height: row.height,
    seed: Number(row.seed),
    bytes: row.bytes,
    url: `/api/v1/assets/${row.id}/file`,
    posterUrl: row.posterHash === null ? null : `/api/v1/assets/${row.id}/poster`,
    frames: row.frames,
    fps: row.fps,
    durationSeconds: row.frames === null || row.fps === null ? null : row.frames / row.fps,
  };
}

/** What can be drawn from, under the one address for all such pictures. */
export function toPicture(row: Omit<InputRow, 'field' | 'pictureId'> & { id: string }): PictureFile {
  const { id, type, width, height, bytes } = row;
  const url = `/api/v1/pictures/${id}`;
  return { id, type, width, height, bytes, url: `${url}/file`, thumbnailUrl: `${url}/thumbnail` };
}

/** RFC 9457 form of an error, for a refusal and for a generation that failed. */
export function toProblem(error: EncoreError): Problem {
  return {
    type: `/problems/${error.code}`,
    title: error.title,
    status: error.status,
    code: error.code,
    detail: error.message,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    errors: error.errors,
  };
}

/** An error as a row keeps it. */
export function toErrorColumn(
  error: EncoreError,
): SerializedError & { [key: string]: string | boolean | object } {
  return error.toJSON() as SerializedError & { [key: string]: string | boolean | object };
}
