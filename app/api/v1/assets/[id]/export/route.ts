import { routes } from '../../../../_server/serve.ts';
import { exportAssetOperation } from '../../../../_operations/assets.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(exportAssetOperation);
