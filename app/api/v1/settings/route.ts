import { serve } from '../../_server/serve.ts';
import { getSettingsOperation, updateSettingsOperation } from '../../_operations/studio.ts';

export const GET = serve(getSettingsOperation);
export const PATCH = serve(updateSettingsOperation);
