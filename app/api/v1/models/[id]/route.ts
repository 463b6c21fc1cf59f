import { routes } from '../../../_server/serve.ts';
import { removeModelOperation } from '../../../_operations/studio.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(removeModelOperation);
