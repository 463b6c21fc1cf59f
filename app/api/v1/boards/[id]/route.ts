import { serve } from '../../../_server/serve.ts';
import { renameBoardOperation, deleteBoardOperation } from '../../../_operations/boards.ts';

export const PATCH = serve(renameBoardOperation);
export const DELETE = serve(deleteBoardOperation);
