import { routes } from '../../_server/serve.ts';
import { capabilitiesOperation } from '../../_operations/studio.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(capabilitiesOperation);
