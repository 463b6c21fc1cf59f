import { serve } from '../../../../_server/serve.ts';
import { posterOperation } from '../../../../_operations/assets.ts';

export const GET = serve(posterOperation);
