import { serve } from '../../_server/serve.ts';
import { createUploadOperation, listUploadsOperation } from '../../_operations/pictures.ts';

export const POST = serve(createUploadOperation);
export const GET = serve(listUploadsOperation);
