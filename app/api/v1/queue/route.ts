import { serve } from '../../_server/serve.ts';
import { getQueueOperation } from '../../_operations/queue.ts';

export const GET = serve(getQueueOperation);
