import { serve } from '../../../../_server/serve.ts';
import { retryGenerationOperation } from '../../../../_operations/generations.ts';

export const POST = serve(retryGenerationOperation);
