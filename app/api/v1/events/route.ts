import { serve } from '../../_server/serve.ts';
import { allEventsOperation } from '../../_operations/events.ts';

export const GET = serve(allEventsOperation);
