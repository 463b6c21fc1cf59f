import { serve } from '../../../_server/serve.ts';
import { removeModelOperation } from '../../../_operations/studio.ts';

export const DELETE = serve(removeModelOperation);
