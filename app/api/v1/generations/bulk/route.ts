import { serve } from '../../../_server/serve.ts';
import { bulkGenerationsOperation } from '../../../_operations/generations.ts';

export const POST = serve(bulkGenerationsOperation);
