import { routes } from '../../../_server/serve.ts';
import { renameBoardOperation, deleteBoardOperation } from '../../../_operations/boards.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(renameBoardOperation, deleteBoardOperation);
