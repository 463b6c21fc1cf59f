/**
 * What `npm start` and `npm test` have in common: preparing a checkout, each step only where its inputs changed.
 * Nothing here may import a package, since the first step is what installs them.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const minimumNode = [20, 19];
/** What ends a program from outside: Ctrl-C, kill, a terminal that is closed. */
export const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * A signal to npm alone (`kill`, a process manager) ends npm and the shell in between and goes no further: without this,
 * web and worker would go on unseen. Ctrl-C reaches every process of the terminal by itself.
 */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}

/** What Next reads of itself is for all parts, and for this program, or the pages would look at other data than the worker. */
export function loadEnvFiles() {
  for (const name of ['.env.local', '.env'])
    if (existsSync(join(root, name))) process.loadEnvFile(join(root, name));
}

/** Ends the process with one sentence and no stack trace. */
export function fail(message) {
  console.error(`\n${message}`);
  process.exit(1);
}

export function checkNode() {
  const complaint = nodeComplaint(process.versions.node);
  if (complaint) fail(complaint);
}

/** Why a version of Node is not enough; undefined where it is. */
export function nodeComplaint(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return undefined;
  return `Encore needs Node ${minimumNode.join('.')} or newer, this is ${version}. Get it from nodejs.org.`;
}

/**
 * Runs a command to its end. Quiet: its output is kept, a line with the seconds ticks meanwhile on a terminal, and the
 * output is shown only where it failed. Resolves to the exit code.
 */
export function run(label, command, args, { env = {}, quiet = true } = {}) {
  return new Promise((resolve) => {
    const started = Date.now();
    const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', CHECKPOINT_DISABLE: '1', ...env },
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32' && command === npm,
    });
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    const tty = process.stdout.isTTY && quiet;
    if (!tty) console.log(`  ${label} ...`);
    const ticker = tty
      ? setInterval(() => process.stdout.write(`\r  ${label} ... ${seconds()} `), 500)
      : undefined;
    const end = (code) => {
      clearInterval(ticker);
      for (const signal of signals) process.off(signal, pass);
      if (tty) process.stdout.write('\r\x1b[2K');
      console.log(`  ${code === 0 ? '✓' : '✗'} ${label} (${seconds()})`);
      if (code !== 0 && quiet && !stoppedBy) process.stderr.write(Buffer.concat(output));
      resolve(code);
    };
    // Ctrl-C reaches the child by itself; a signal to this process alone is passed on, so that nothing is left running.
    const pass = (signal) => {
      stoppedBy = signal;
      child.kill(signal);
    };
    let stoppedBy;
    for (const signal of signals) process.on(signal, pass);
    child.on('error', (error) => {
      output.push(Buffer.from(`${command}: ${error.message}\n`));
      end(127);
    });
    child.on('close', (code, signal) => {
      end(code ?? (signal ? 130 : 1));
      if (stoppedBy) process.exit(130);
    });
  });
}

/** sha256 over names and contents of files and whole folders, and over any further strings. */
export function fingerprint(paths, ...more) {
  const hash = createHash('sha256');
  const add = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) if (name !== 'generated') add(join(path, name));
    } else {
      hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
    }
  };
  for (const path of paths) add(join(root, path));
  for (const text of more) hash.update(text).update('\0');
  return hash.digest('hex');
}

/** Runs `work` unless the stamp file says that it was done for the same fingerprint. */
async function once(stampPath, print, outputs, work) {
  const stamp = join(root, stampPath);
  const done =
    outputs.every((output) => existsSync(join(root, output))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === print;
  if (done) return false;
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, print);
  return true;
}

async function orFail(label, command, args, remedy, options) {
  const code = await run(label, command, args, options);
  if (code !== 0) fail(`${label} failed. ${remedy}`);
}

/** Packages as the lock file says. No package runs a script, so nothing but the npm registry is asked. */
export async function install() {
  const print = fingerprint(
    ['package-lock.json', '.npmrc'],
    process.platform,
    process.arch,
    process.versions.modules,
  );
  await once(
    'node_modules/.encore/install',
    print,
    ['node_modules/next', 'node_modules/onnxruntime-node'],
    () => {
      if (!isWritable(root)) {
        fail(
          `Encore installs its packages into its own folder, ${root}, where this user may not write. ` +
            'Copy the folder to a place of your own, or have its owner run npm start once.',
        );
      }
      return orFail(
        'Installing packages (about 1.3 GB on disk)',
        npm,
        // Also where NODE_ENV says production: what builds the pages is among them.
        ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', ...ownCache()],
        'Is the npm registry reachable? Running it again goes on from npm’s cache.',
      );
    },
  );
}

/** Where the home folder cannot be written (a service, a container), npm has no place for its cache. */
function ownCache() {
  const cache = process.env.npm_config_cache;
  if (!cache || isWritable(cache)) return [];
  return ['--cache', join(tmpdir(), 'encore-npm-cache')];
}

/** Whether this user may write to a folder, or make it. */
function isWritable(folder) {
  for (let at = folder; ; at = dirname(at)) {
    try {
      accessSync(at, constants.W_OK);
      return true;
    } catch (error) {
      if (error.code !== 'ENOENT' || at === dirname(at)) return false;
    }
  }
}

/** The database client, from the schema. The schema engine is not needed for it and is never downloaded. */
export async function generateDatabaseClient() {
  const print = fingerprint(['prisma/schema.prisma', 'prisma.config.ts', 'package-lock.json']);
  await once('node_modules/.encore/prisma', print, ['lib/studio/db/generated'], () =>
    orFail(
      'Generating the database client',
      process.execPath,
      ['prisma/command.mjs', 'generate'],
      'The message above says why.',
    ),
  );
}

/** Brings the database in the data folder up to date; nothing to do is quick. */
export async function migrateDatabase() {
  await orFail(
    'Preparing the database',
    process.execPath,
    ['--import', 'tsx', 'prisma/migrate.ts'],
    'Your pictures are untouched; the message above says why.',
  );
}

export async function buildWeb() {
  const print = fingerprint([
    'app',
    'lib/contracts',
    'lib/studio',
    'proxy.ts',
    'next.config.js',
    'tsconfig.json',
    'package.json',
    'package-lock.json',
    'prisma/schema.prisma',
  ]);
  await once('.next/encore-build', print, ['.next/BUILD_ID'], () =>
    orFail(
      'Building the pages',
      process.execPath,
      ['node_modules/next/dist/bin/next', 'build'],
      'The message above says why.',
      { env: { NODE_ENV: 'production' } },
    ),
  );
}
