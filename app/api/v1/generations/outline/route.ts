import { serve } from '../../../_server/serve.ts';
import { outlineGenerationsOperation } from '../../../_operations/generations.ts';

export const GET = serve(outlineGenerationsOperation);
