import { serve } from '../../../_server/serve.ts';
import { exportGenerationsOperation } from '../../../_operations/assets.ts';

export const POST = serve(exportGenerationsOperation);
