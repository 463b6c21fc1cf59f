import { serve } from '../../../_server/serve.ts';
import {
  getGenerationOperation,
  updateGenerationOperation,
  deleteGenerationOperation,
} from '../../../_operations/generations.ts';

export const GET = serve(getGenerationOperation);
export const PATCH = serve(updateGenerationOperation);
export const DELETE = serve(deleteGenerationOperation);
