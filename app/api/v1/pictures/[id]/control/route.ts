import { serve } from '../../../../_server/serve.ts';
import { controlPictureOperation } from '../../../../_operations/pictures.ts';

export const GET = serve(controlPictureOperation);
