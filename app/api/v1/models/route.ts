import { serve } from '../../_server/serve.ts';
import { listModelsOperation } from '../../_operations/studio.ts';

export const GET = serve(listModelsOperation);
