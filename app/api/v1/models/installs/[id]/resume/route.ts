import { serve } from '../../../../../_server/serve.ts';
import { resumeInstallOperation } from '../../../../../_operations/installs.ts';

export const POST = serve(resumeInstallOperation);
