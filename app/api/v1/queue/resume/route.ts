import { serve } from '../../../_server/serve.ts';
import { resumeQueueOperation } from '../../../_operations/queue.ts';

export const POST = serve(resumeQueueOperation);
