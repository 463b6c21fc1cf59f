import { serve } from '../../../../_server/serve.ts';
import { assetFileOperation } from '../../../../_operations/assets.ts';

export const GET = serve(assetFileOperation);
