import { serve } from '../../../../_server/serve.ts';
import { pictureFileOperation } from '../../../../_operations/pictures.ts';

export const GET = serve(pictureFileOperation);
