import { routes } from '../../_server/serve.ts';
import { listBoardsOperation, createBoardOperation } from '../../_operations/boards.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(listBoardsOperation, createBoardOperation);
