import { routes } from '../../_server/serve.ts';
import { listModelsOperation, addModelOperation } from '../../_operations/studio.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(listModelsOperation, addModelOperation);
