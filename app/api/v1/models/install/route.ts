import { routes } from '../../../_server/serve.ts';
import { installModelOperation } from '../../../_operations/installs.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(installModelOperation);
