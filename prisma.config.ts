import { defineConfig } from 'prisma/config';

/** Read by the Prisma command line only; the product opens its database through lib/studio/db. */
const home = process.env['ENCORE_HOME'] ?? './data';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: `file:${home}/encore.db` },
});
