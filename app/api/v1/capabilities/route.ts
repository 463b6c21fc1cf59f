import { serve } from '../../_server/serve.ts';
import { capabilitiesOperation } from '../../_operations/studio.ts';

export const GET = serve(capabilitiesOperation);
