import { routes } from '../../_server/serve.ts';
import { getSettingsOperation, updateSettingsOperation } from '../../_operations/studio.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(
  getSettingsOperation,
  updateSettingsOperation,
);
