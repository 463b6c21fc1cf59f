import { serve } from '../../../../../_server/serve.ts';
import { cancelInstallOperation } from '../../../../../_operations/installs.ts';

export const POST = serve(cancelInstallOperation);
