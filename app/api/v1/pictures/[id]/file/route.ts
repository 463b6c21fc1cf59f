import { routes } from '../../../../_server/serve.ts';
import { pictureFileOperation } from '../../../../_operations/pictures.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(pictureFileOperation);
