import { boardInputSchema, boardListSchema, boardSchema } from '../../../lib/contracts/studio.ts';
import { createBoard, deleteBoard, listBoards, renameBoard } from '../../../lib/studio/services/index.ts';
import { defineOperation } from '../_server/operation.ts';
import { idParams } from './generations.ts';

const board = { description: 'The board', schema: boardSchema };

export const listBoardsOperation = defineOperation({
  id: 'listBoards',
  tag: 'Boards',
  method: 'GET',
  path: '/boards',
  summary: 'List the boards',
  responses: { 200: { description: 'Newest first', schema: boardListSchema } },
  run: async ({ studio }) => ({ status: 200, body: { items: await listBoards(studio) } }),
});

export const createBoardOperation = defineOperation({
  id: 'createBoard',
  tag: 'Boards',
  method: 'POST',
  path: '/boards',
  summary: 'Make a board',
  body: boardInputSchema,
  examples: { 'a board': { name: 'Foxes' } },
  responses: { 201: board },
  errors: ['conflict'],
  run: async ({ body, studio }) => ({ status: 201, body: await createBoard(studio, body.name) }),
});

export const renameBoardOperation = defineOperation({
  id: 'renameBoard',
  tag: 'Boards',
  method: 'PATCH',
  path: '/boards/{id}',
  summary: 'Rename a board',
  params: idParams,
  body: boardInputSchema,
  examples: { 'a board': { name: 'Foxes' } },
  responses: { 200: board },
  errors: ['not_found'],
  run: async ({ params, body, studio }) => ({
    status: 200,
    body: await renameBoard(studio, params.id, body.name),
  }),
});

export const deleteBoardOperation = defineOperation({
  id: 'deleteBoard',
  tag: 'Boards',
  method: 'DELETE',
  path: '/boards/{id}',
  summary: 'Take a board away',
  description: 'What stands on it stays in the history.',
  params: idParams,
  responses: { 204: { description: 'Gone' } },
  errors: ['not_found'],
  async run({ params, studio }) {
    await deleteBoard(studio, params.id);
    return { status: 204 };
  },
});
