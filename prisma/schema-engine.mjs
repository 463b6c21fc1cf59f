#!/usr/bin/env node
/**
 * Prisma's schema engine for the Prisma command line, from its WebAssembly build on npm instead of a downloaded binary.
 * Set PRISMA_SCHEMA_ENGINE_BINARY to this file and `prisma migrate diff | status | deploy` work without the internet.
 * Speaks the engine's protocol: JSON-RPC, one message per line, on stdin and stdout. A tool for writing and checking
 * migrations; the product applies them by lib/studio/db/migrate.ts.
 */
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';

const argv = process.argv.slice(2);
const datasource = argv.indexOf('--datasource');
const { url } = datasource === -1 ? { url: 'file::memory:' } : JSON.parse(argv[datasource + 1]);

if (argv.includes('can-connect-to-database')) {
  const connection = await new PrismaLibSql({ url }).connect();
  await connection.dispose();
  process.exit(0);
}

const engine = await openEngine();
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue;
  const { id, method, params } = JSON.parse(line);
  const name = method.replace(/_./g, (match) => match[1].toUpperCase());
  let answer;
  try {
    const result = await engine[name](params);
    // The command line expects a diff as a notification and only the exit code as the result.
    if (name === 'diff')
      write({ jsonrpc: '2.0', method: 'print', params: { content: result.stdout ?? '' }, id });
    answer = { result: result ?? null };
  } catch (error) {
    answer = {
      error: {
        code: 4466,
        message: 'schema engine error',
        data: { is_panic: false, message: String(error?.message ?? error), meta: null },
      },
    };
  }
  write({ jsonrpc: '2.0', id, ...answer });
}

function write(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function openEngine() {
  const require = createRequire(import.meta.url);
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = await readFile(
    require.resolve('@prisma/schema-engine-wasm').replace(/schema_engine\.js$/, 'schema_engine_bg.wasm'),
  );
  const { instance } = await globalThis.WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaLibSql({ url }));
  return bindings.SchemaEngine.new({ datamodels: undefined }, () => {}, adapter);
}
