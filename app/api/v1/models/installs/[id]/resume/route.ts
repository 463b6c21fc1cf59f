import { routes } from '../../../../../_server/serve.ts';
import { resumeInstallOperation } from '../../../../../_operations/installs.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(resumeInstallOperation);
