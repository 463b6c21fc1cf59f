import { nowhere } from '../_server/serve.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = nowhere();
