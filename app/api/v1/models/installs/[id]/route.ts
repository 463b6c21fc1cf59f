import { routes } from '../../../../_server/serve.ts';
import { getInstallOperation, deleteInstallOperation } from '../../../../_operations/installs.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(getInstallOperation, deleteInstallOperation);
