import { routes } from '../../_server/serve.ts';
import { preprocessOperation } from '../../_operations/pictures.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(preprocessOperation);
