import { serve } from '../../../../_server/serve.ts';
import { restoreGenerationOperation } from '../../../../_operations/generations.ts';

export const POST = serve(restoreGenerationOperation);
