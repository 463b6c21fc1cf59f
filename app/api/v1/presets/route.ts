import { serve } from '../../_server/serve.ts';
import { listPresetsOperation, createPresetOperation } from '../../_operations/presets.ts';

export const GET = serve(listPresetsOperation);
export const POST = serve(createPresetOperation);
