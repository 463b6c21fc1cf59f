import { routes } from '../../../_server/serve.ts';
import { pauseQueueOperation } from '../../../_operations/queue.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(pauseQueueOperation);
