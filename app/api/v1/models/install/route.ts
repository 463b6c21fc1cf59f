import { serve } from '../../../_server/serve.ts';
import { installModelOperation } from '../../../_operations/installs.ts';

export const POST = serve(installModelOperation);
