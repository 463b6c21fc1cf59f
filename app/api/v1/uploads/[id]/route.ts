import { serve } from '../../../_server/serve.ts';
import { getUploadOperation, deleteUploadOperation } from '../../../_operations/pictures.ts';

export const GET = serve(getUploadOperation);
export const DELETE = serve(deleteUploadOperation);
