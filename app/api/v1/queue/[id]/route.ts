import { serve } from '../../../_server/serve.ts';
import { moveInQueueOperation } from '../../../_operations/queue.ts';

export const PATCH = serve(moveInQueueOperation);
