import { routes } from '../../_server/serve.ts';
import { createGenerationOperation, listGenerationsOperation } from '../../_operations/generations.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(
  createGenerationOperation,
  listGenerationsOperation,
);
