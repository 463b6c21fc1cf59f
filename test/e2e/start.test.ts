import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, repository } from '../support/process.ts';
import { temporaryFolder } from '../support/studio.ts';
import { freePort } from './support/stack.ts';

/** `npm start` in a process group of its own, as a terminal gives it one. */
function start(home: string, port: number): ChildProcess & { output: () => string } {
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    cwd: repository,
    env: { ...process.env, ENCORE_HOME: home, PORT: String(port), ENCORE_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  onTestFinished(() => void signalGroup(child, 'SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return Object.assign(child, { output: () => output });
}

/** False when no process of the group is left. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-(pid ?? 0), signal);
    return true;
  } catch {
    return false;
  }
}

const nothingIsLeft = (child: ChildProcess) =>
  eventually(() => !signalGroup(child, 0), 'the end of every process', 20);

test.skipIf(process.platform === 'win32')(
  'npm start is ready, is alone on its port, and leaves nothing behind however it ends',
  async () => {
    // What is installed and built already is what makes this short, and leaves this checkout as it is.
    for (const done of ['node_modules/.encore/install', '.next/encore-build'])
      if (!existsSync(join(repository, done)))
        throw new Error(`Run npm test or npm start first: there is no ${done}.`);
    const [home, port] = [await temporaryFolder(), await freePort()];

    const first = start(home, port);
    await eventually(
      () => first.output().includes(`Encore is ready: http://localhost:${port}`),
      'the address',
      150,
    );
    const second = start(home, port);
    await nothingIsLeft(second);
    expect(second.exitCode).toBe(1);
    expect(second.output()).toContain(`Port ${port} is taken`);
    expect(second.output()).not.toContain('Preparing');

    // A page that is open does not keep it.
    const page = await fetch(`http://127.0.0.1:${port}/api/v1/events`);
    const reading = page.text().catch(() => 'cut off');
    signalGroup(first, 'SIGINT');
    await nothingIsLeft(first);
    expect(first.exitCode).toBe(0);
    expect(first.output()).not.toContain('Not everything stopped');
    await reading;

    const killed = start(home, port);
    await eventually(() => killed.output().includes('Encore is ready'), 'the address', 150);
    killed.kill('SIGKILL');
    await nothingIsLeft(killed);
  },
);
