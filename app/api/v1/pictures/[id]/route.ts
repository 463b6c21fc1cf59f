import { routes } from '../../../_server/serve.ts';
import { getPictureOperation } from '../../../_operations/pictures.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(getPictureOperation);
