import { serve } from '../../_server/serve.ts';
import { readMetadataOperation } from '../../_operations/assets.ts';

export const POST = serve(readMetadataOperation);
