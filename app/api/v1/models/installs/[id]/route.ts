import { serve } from '../../../../_server/serve.ts';
import { getInstallOperation, deleteInstallOperation } from '../../../../_operations/installs.ts';

export const GET = serve(getInstallOperation);
export const DELETE = serve(deleteInstallOperation);
