import { serve } from '../../../../../_server/serve.ts';
import { pauseInstallOperation } from '../../../../../_operations/installs.ts';

export const POST = serve(pauseInstallOperation);
