import { Prisma } from './generated/client.ts';

/** What is read of a picture. */
const assetColumns = {
  id: true,
  generationId: true,
  index: true,
  hash: true,
  type: true,
  width: true,
  height: true,
  bytes: true,
  seed: true,
  posterHash: true,
  frames: true,
  fps: true,
} satisfies Prisma.AssetSelect;
export type AssetRow = Prisma.AssetGetPayload<{ select: typeof assetColumns }>;

/** What is read of a picture that a generation is made from. */
export const inputColumns = {
  field: true,
  pictureId: true,
  hash: true,
  type: true,
  width: true,
  height: true,
  bytes: true,
} satisfies Prisma.GenerationInputSelect;
export type InputRow = Prisma.GenerationInputGetPayload<{ select: typeof inputColumns }>;

/** What is read of an upload. */
export const uploadColumns = {
  seq: true,
  id: true,
  name: true,
  hash: true,
  type: true,
  width: true,
  height: true,
  bytes: true,
  createdAt: true,
} satisfies Prisma.UploadSelect;
export type UploadRow = Prisma.UploadGetPayload<{ select: typeof uploadColumns }>;

/** What is read of an install to show it. */
export const installColumns = {
  id: true,
  repo: true,
  revision: true,
  file: true,
  status: true,
  bytesDone: true,
  bytesTotal: true,
  bytesPerSecond: true,
  currentFile: true,
  error: true,
  modelId: true,
  createdAt: true,
} satisfies Prisma.InstallSelect;
export type InstallRow = Prisma.InstallGetPayload<{ select: typeof installColumns }>;

/** What is read of a generation to show it: neither claim nor idempotency key ever leave by accident. */
export const generationColumns = {
  seq: true,
  id: true,
  task: true,
  status: true,
  progress: true,
  step: true,
  etaSeconds: true,
  queueOrder: true,
  attempt: true,
  params: true,
  starred: true,
  boardId: true,
  verifiesId: true,
  verifiedBy: { select: { id: true, deletedAt: true } },
  comparison: true,
  receipt: true,
  error: true,
  createdAt: true,
  startedAt: true,
  finishedAt: true,
  deletedAt: true,
  inputs: { select: inputColumns, orderBy: { field: 'asc' } },
  assets: { select: assetColumns, orderBy: { index: 'asc' } },
} satisfies Prisma.GenerationSelect;
export type GenerationRow = Prisma.GenerationGetPayload<{ select: typeof generationColumns }>;

/** SQL NULL for a JSON column; `null` alone would be JSON's null. */
export const NO_JSON = Prisma.DbNull;
export type Json = Prisma.InputJsonValue;
export type GenerationUpdate = Prisma.GenerationUpdateManyMutationInput;
export type GenerationFilter = Prisma.GenerationWhereInput;

/** The order in which waiting generations run. */
export const QUEUE_ORDER: Prisma.GenerationOrderByWithRelationInput[] = [
  { queueOrder: 'asc' },
  { seq: 'asc' },
];
