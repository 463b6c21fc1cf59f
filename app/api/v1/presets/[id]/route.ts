import { serve } from '../../../_server/serve.ts';
import { updatePresetOperation, deletePresetOperation } from '../../../_operations/presets.ts';

export const PATCH = serve(updatePresetOperation);
export const DELETE = serve(deletePresetOperation);
