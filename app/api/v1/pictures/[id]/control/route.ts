import { routes } from '../../../../_server/serve.ts';
import { controlPictureOperation } from '../../../../_operations/pictures.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(controlPictureOperation);
