import { routes } from '../../_server/serve.ts';
import { allEventsOperation } from '../../_operations/events.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(allEventsOperation);
