import { serve } from '../../_server/serve.ts';
import { listModelsOperation, addModelOperation } from '../../_operations/studio.ts';

export const GET = serve(listModelsOperation);
export const POST = serve(addModelOperation);
