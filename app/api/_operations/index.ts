import type { AnyOperation } from '../_server/operation.ts';
import { assetFileOperation } from './assets.ts';
import { allEventsOperation, generationEventsOperation } from './events.ts';
import {
  cancelGenerationOperation,
  createGenerationOperation,
  deleteGenerationOperation,
  getGenerationOperation,
  listGenerationsOperation,
  restoreGenerationOperation,
  retryGenerationOperation,
  updateGenerationOperation,
} from './generations.ts';
import {
  getQueueOperation,
  moveInQueueOperation,
  pauseQueueOperation,
  resumeQueueOperation,
} from './queue.ts';
import {
  capabilitiesOperation,
  closeSessionOperation,
  healthOperation,
  listModelsOperation,
  openSessionOperation,
} from './studio.ts';

/** Everything the API can do, in the order the reference shows it. A test checks that each has a route and each route one of these. */
export const operations: AnyOperation[] = [
  createGenerationOperation,
  listGenerationsOperation,
  getGenerationOperation,
  updateGenerationOperation,
  cancelGenerationOperation,
  retryGenerationOperation,
  deleteGenerationOperation,
  restoreGenerationOperation,
  generationEventsOperation,
  allEventsOperation,
  assetFileOperation,
  getQueueOperation,
  pauseQueueOperation,
  resumeQueueOperation,
  moveInQueueOperation,
  listModelsOperation,
  capabilitiesOperation,
  healthOperation,
  openSessionOperation,
  closeSessionOperation,
];
