import { serve } from '../../_server/serve.ts';
import { healthOperation } from '../../_operations/studio.ts';

export const GET = serve(healthOperation);
