import { routes } from '../../../_server/serve.ts';
import { exportGenerationsOperation } from '../../../_operations/assets.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(exportGenerationsOperation);
