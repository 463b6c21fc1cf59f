import { routes } from '../../_server/serve.ts';
import { getQueueOperation } from '../../_operations/queue.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(getQueueOperation);
