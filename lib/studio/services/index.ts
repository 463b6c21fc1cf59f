/**
 * What the product does, one function per use case. The web process and the worker come in here; nothing behind it
 * computes a picture, so it may run inside a web server. Every function takes the {@link Studio} that its process
 * opened and throws only EncoreError.
 */
export { getStudio } from './shared.ts';
export { openStudio, type Studio } from '../studio.ts';
export { readEnv, type StudioEnv } from '../env.ts';
export {
  cancelGeneration,
  createGeneration,
  deleteGeneration,
  getGeneration,
  isOver,
  listGenerations,
  outlineGenerations,
  restoreGeneration,
  retryGeneration,
  updateGeneration,
  waitForGeneration,
} from './generations.ts';
export { createBoard, deleteBoard, listBoards, renameBoard } from './boards.ts';
export { changeGenerations } from './bulk.ts';
export { verifyGeneration } from './verify.ts';
export { getSettings, updateSettings } from './settings.ts';
export { getQueue, moveInQueue, setQueuePaused } from './queue.ts';
export {
  type AssetFile,
  exportAsset,
  exportGenerations,
  getAssetFile,
  getPoster,
  getThumbnail,
  readPictureInfo,
} from './assets.ts';
export { createUpload, deleteUpload, getUpload, listUploads } from './uploads.ts';
export { getPicture, getPictureFile, getPictureThumbnail } from './pictures.ts';
export { getControlPicture, keepControlPicture } from './control-pictures.ts';
export { createPreset, deletePreset, listPresets, updatePreset } from './presets.ts';
export {
  cancelInstall,
  deleteInstall,
  getInstall,
  listInstalls,
  pauseInstall,
  requestInstall,
  resumeInstall,
} from './installs.ts';
export { addModel, listModels, removeModel } from './models.ts';
export { getHealth } from './status.ts';
export type { LoggedEvent } from '../events/log.ts';
export { toProblem } from '../serialize.ts';
