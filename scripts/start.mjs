#!/usr/bin/env node
/**
 * `npm start`: from a fresh clone to a running studio. Installs, prepares the database, builds, starts web and worker,
 * and says where to look; what is done already is skipped. Ctrl-C stops all of it. `--dev` reloads pages as they change.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import {
  buildWeb,
  checkNode,
  endWithNpm,
  fail,
  generateDatabaseClient,
  install,
  loadEnvFiles,
  migrateDatabase,
  root,
  signals,
} from './lib/steps.mjs';

checkNode();
endWithNpm();
loadEnvFiles();

const dev = process.argv.includes('--dev');
// Empty is what shells and compose files write for "not set".
const port = Number(process.env.PORT || 3000);
const host = process.env.ENCORE_HOST || '127.0.0.1';
const token = process.env.ENCORE_TOKEN || undefined;
const loopback = ['127.0.0.1', '::1', 'localhost'];
/** A part that dies this often within a minute is not started again. */
const restartsPerMinute = 5;
const graceMs = 10_000;
/** What a process imports before its own program. */
const first = (name) => ['--import', new URL(`lib/${name}.mjs`, import.meta.url).href];

if (!Number.isInteger(port) || port < 1 || port > 65_535)
  fail(`PORT must be a number from 1 to 65535, got ${process.env.PORT}.`);
if (!loopback.includes(host) && token === undefined) {
  fail(
    `Encore will not listen on ${host} without a token: anyone who reaches it could use it. ` +
      'Set ENCORE_TOKEN to a long random string, or leave ENCORE_HOST away to listen on this machine only.',
  );
}
if (token !== undefined && token.length < 16)
  fail(`ENCORE_TOKEN has ${token.length} characters; it needs 16 at least, so that nobody guesses it.`);

console.log('Encore');
// Before anything is installed or built: it would be pulled away from under a studio that runs already.
await portIsFree();
await install();
await generateDatabaseClient();
await migrateDatabase();
if (!dev) await buildWeb();

const parts = [
  part('web', [
    ...first('refuse-early'),
    'node_modules/next/dist/bin/next',
    dev ? 'dev' : 'start',
    '--hostname',
    host,
    '--port',
    String(port),
  ]),
  part('worker', ['--import', 'tsx', 'workers/main.ts']),
];
let stopping = false;
for (const signal of signals) process.on(signal, () => void stop(0));
for (const each of parts) each.start();
await ready();

/** A child process that is started again when it dies, until it dies too often. */
function part(name, args) {
  const deaths = [];
  const self = {
    name,
    child: undefined,
    start() {
      const child = spawn(process.execPath, [...first('end-with-parent'), ...args], {
        cwd: root,
        env: { ...process.env, NODE_ENV: dev ? 'development' : 'production', NEXT_TELEMETRY_DISABLED: '1' },
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      });
      self.child = child;
      // Next's own banner would repeat the address; what the worker and the pages log stays visible.
      if (name === 'web' && !dev) child.stdout.resume();
      else child.stdout.pipe(process.stdout);
      child.on('exit', (code, signal) => {
        if (stopping) return;
        const now = Date.now();
        deaths.push(now);
        if (deaths.filter((at) => now - at < 60_000).length > restartsPerMinute) {
          console.error(`The ${name} stopped ${restartsPerMinute + 1} times within a minute; giving up.`);
          void stop(1);
          return;
        }
        console.error(`The ${name} stopped (${signal ?? `exit code ${code}`}); starting it again.`);
        setTimeout(() => stopping || self.start(), 500);
      });
    },
  };
  return self;
}

async function stop(code) {
  if (stopping) return;
  stopping = true;
  const alive = parts
    .map(({ child }) => child)
    .filter((child) => child && child.exitCode === null && child.signalCode === null);
  const gone = Promise.all(alive.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  for (const child of alive) child.kill('SIGTERM');
  const timer = setTimeout(() => {
    console.error(`Not everything stopped within ${graceMs / 1000} s; it is ended now.`);
    for (const child of alive) child.kill('SIGKILL');
  }, graceMs);
  await gone;
  clearTimeout(timer);
  process.exit(code);
}

function portIsFree() {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => {
      fail(
        error.code === 'EADDRINUSE'
          ? `Port ${port} is taken. Is Encore running already? Otherwise choose another one: PORT=3001 npm start`
          : `Cannot listen on ${host}:${port}: ${error.message}`,
      );
    });
    probe.listen(port, host, () => probe.close(resolve));
  });
}

/** Waits for the first healthy answer and prints the address. */
async function ready() {
  const shown = host.includes(':')
    ? `[${host}]`
    : ['0.0.0.0', '127.0.0.1'].includes(host)
      ? 'localhost'
      : host;
  const probed = host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  while (!stopping) {
    const healthy = await fetch(`http://${probed}:${port}/api/v1/health`, {
      signal: AbortSignal.timeout(2000),
    }).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy) {
      console.log(`\n  Encore is ready: http://${shown}:${port}\n  Ctrl-C stops it.\n`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
