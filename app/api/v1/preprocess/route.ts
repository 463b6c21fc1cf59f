import { serve } from '../../_server/serve.ts';
import { preprocessOperation } from '../../_operations/pictures.ts';

export const POST = serve(preprocessOperation);
