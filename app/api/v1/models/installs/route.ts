import { serve } from '../../../_server/serve.ts';
import { listInstallsOperation } from '../../../_operations/installs.ts';

export const GET = serve(listInstallsOperation);
