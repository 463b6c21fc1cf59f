import { serve } from '../../../../_server/serve.ts';
import { exportAssetOperation } from '../../../../_operations/assets.ts';

export const GET = serve(exportAssetOperation);
