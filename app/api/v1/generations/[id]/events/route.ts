import { serve } from '../../../../_server/serve.ts';
import { generationEventsOperation } from '../../../../_operations/events.ts';

export const GET = serve(generationEventsOperation);
