import { serve } from '../../_server/serve.ts';
import { createGenerationOperation, listGenerationsOperation } from '../../_operations/generations.ts';

export const POST = serve(createGenerationOperation);
export const GET = serve(listGenerationsOperation);
