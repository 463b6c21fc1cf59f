import { serve } from '../../_server/serve.ts';
import { listBoardsOperation, createBoardOperation } from '../../_operations/boards.ts';

export const GET = serve(listBoardsOperation);
export const POST = serve(createBoardOperation);
