import { routes } from '../../../_server/serve.ts';
import { listInstallsOperation } from '../../../_operations/installs.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(listInstallsOperation);
