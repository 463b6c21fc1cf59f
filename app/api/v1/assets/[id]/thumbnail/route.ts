import { serve } from '../../../../_server/serve.ts';
import { thumbnailOperation } from '../../../../_operations/assets.ts';

export const GET = serve(thumbnailOperation);
