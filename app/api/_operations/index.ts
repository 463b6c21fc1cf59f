import type { AnyOperation } from '../_server/operation.ts';
import {
  assetFileOperation,
  exportAssetOperation,
  exportGenerationsOperation,
  readMetadataOperation,
  thumbnailOperation,
} from './assets.ts';
import {
  createBoardOperation,
  deleteBoardOperation,
  listBoardsOperation,
  renameBoardOperation,
} from './boards.ts';
import { allEventsOperation, generationEventsOperation } from './events.ts';
import {
  bulkGenerationsOperation,
  cancelGenerationOperation,
  createGenerationOperation,
  deleteGenerationOperation,
  getGenerationOperation,
  listGenerationsOperation,
  outlineGenerationsOperation,
  restoreGenerationOperation,
  retryGenerationOperation,
  updateGenerationOperation,
  verifyGenerationOperation,
} from './generations.ts';
import {
  getQueueOperation,
  moveInQueueOperation,
  pauseQueueOperation,
  resumeQueueOperation,
} from './queue.ts';
import {
  addModelOperation,
  capabilitiesOperation,
  closeSessionOperation,
  getSettingsOperation,
  healthOperation,
  listModelsOperation,
  openSessionOperation,
  removeModelOperation,
  updateSettingsOperation,
} from './studio.ts';

/** Everything the API can do, in the order the reference shows it. A test checks that each has a route and each route one of these. */
export const operations: AnyOperation[] = [
  createGenerationOperation,
  listGenerationsOperation,
  outlineGenerationsOperation,
  getGenerationOperation,
  updateGenerationOperation,
  cancelGenerationOperation,
  retryGenerationOperation,
  deleteGenerationOperation,
  restoreGenerationOperation,
  verifyGenerationOperation,
  bulkGenerationsOperation,
  exportGenerationsOperation,
  generationEventsOperation,
  allEventsOperation,
  assetFileOperation,
  thumbnailOperation,
  exportAssetOperation,
  readMetadataOperation,
  listBoardsOperation,
  createBoardOperation,
  renameBoardOperation,
  deleteBoardOperation,
  getQueueOperation,
  pauseQueueOperation,
  resumeQueueOperation,
  moveInQueueOperation,
  listModelsOperation,
  addModelOperation,
  removeModelOperation,
  capabilitiesOperation,
  healthOperation,
  getSettingsOperation,
  updateSettingsOperation,
  openSessionOperation,
  closeSessionOperation,
];
