import { serve } from '../../../../_server/serve.ts';
import { cancelGenerationOperation } from '../../../../_operations/generations.ts';

export const POST = serve(cancelGenerationOperation);
