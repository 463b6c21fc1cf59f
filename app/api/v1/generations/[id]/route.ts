import { routes } from '../../../_server/serve.ts';
import {
  getGenerationOperation,
  updateGenerationOperation,
  deleteGenerationOperation,
} from '../../../_operations/generations.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(
  getGenerationOperation,
  updateGenerationOperation,
  deleteGenerationOperation,
);
