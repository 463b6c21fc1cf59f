import { routes } from '../../../../_server/serve.ts';
import { generationEventsOperation } from '../../../../_operations/events.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(generationEventsOperation);
