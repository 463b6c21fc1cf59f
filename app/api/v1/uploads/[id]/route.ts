import { routes } from '../../../_server/serve.ts';
import { getUploadOperation, deleteUploadOperation } from '../../../_operations/pictures.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(getUploadOperation, deleteUploadOperation);
