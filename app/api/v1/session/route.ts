import { serve } from '../../_server/serve.ts';
import { openSessionOperation, closeSessionOperation } from '../../_operations/studio.ts';

export const POST = serve(openSessionOperation);
export const DELETE = serve(closeSessionOperation);
