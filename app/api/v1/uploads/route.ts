import { routes } from '../../_server/serve.ts';
import { createUploadOperation, listUploadsOperation } from '../../_operations/pictures.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(createUploadOperation, listUploadsOperation);
