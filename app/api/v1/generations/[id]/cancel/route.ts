import { routes } from '../../../../_server/serve.ts';
import { cancelGenerationOperation } from '../../../../_operations/generations.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(cancelGenerationOperation);
