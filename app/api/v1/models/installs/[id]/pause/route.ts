import { routes } from '../../../../../_server/serve.ts';
import { pauseInstallOperation } from '../../../../../_operations/installs.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(pauseInstallOperation);
