import { routes } from '../../_server/serve.ts';
import { openSessionOperation, closeSessionOperation } from '../../_operations/studio.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(openSessionOperation, closeSessionOperation);
