import { serve } from '../../../_server/serve.ts';
import { pauseQueueOperation } from '../../../_operations/queue.ts';

export const POST = serve(pauseQueueOperation);
