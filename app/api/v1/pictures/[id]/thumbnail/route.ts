import { serve } from '../../../../_server/serve.ts';
import { pictureThumbnailOperation } from '../../../../_operations/pictures.ts';

export const GET = serve(pictureThumbnailOperation);
