import { serve } from '../../../../_server/serve.ts';
import { verifyGenerationOperation } from '../../../../_operations/generations.ts';

export const POST = serve(verifyGenerationOperation);
