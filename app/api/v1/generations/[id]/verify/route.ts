import { routes } from '../../../../_server/serve.ts';
import { verifyGenerationOperation } from '../../../../_operations/generations.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(verifyGenerationOperation);
