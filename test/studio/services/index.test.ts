import { expect, test } from 'vitest';
import * as services from '../../../lib/studio/services/index.ts';

test('what the web process may ask of the studio', () => {
  expect(Object.keys(services).sort()).toMatchInlineSnapshot(`
    [
      "addModel",
      "cancelGeneration",
      "changeGenerations",
      "createBoard",
      "createGeneration",
      "deleteBoard",
      "deleteGeneration",
      "exportAsset",
      "exportGenerations",
      "getAssetFile",
      "getGeneration",
      "getHealth",
      "getQueue",
      "getSettings",
      "getStudio",
      "getThumbnail",
      "isOver",
      "listBoards",
      "listGenerations",
      "listModels",
      "moveInQueue",
      "openStudio",
      "readEnv",
      "readPictureInfo",
      "removeModel",
      "renameBoard",
      "restoreGeneration",
      "retryGeneration",
      "setQueuePaused",
      "toProblem",
      "updateGeneration",
      "updateSettings",
      "verifyGeneration",
      "waitForGeneration",
    ]
  `);
});
