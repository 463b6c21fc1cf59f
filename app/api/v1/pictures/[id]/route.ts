import { serve } from '../../../_server/serve.ts';
import { getPictureOperation } from '../../../_operations/pictures.ts';

export const GET = serve(getPictureOperation);
