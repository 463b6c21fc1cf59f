import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { ended, eventually, startScript } from '../support/process.ts';

const steps = JSON.stringify(new URL('../../scripts/lib/steps.mjs', import.meta.url).href);

test.each([
  ['18.20.4', false],
  ['20.18.3', false],
  ['20.19.0', true],
  ['22.0.0', true],
  ['100.1.0', true],
])('Node %s is enough: %s', async (version, enough) => {
  const { nodeComplaint } = (await import('../../scripts/lib/steps.mjs')) as {
    nodeComplaint: (version: string) => string | undefined;
  };
  const complaint = nodeComplaint(version);
  if (enough) expect(complaint).toBeUndefined();
  else expect(complaint).toContain(`needs Node 20.19 or newer, this is ${version}`);
});

test.each([
  [{ ENCORE_HOST: '0.0.0.0' }, 'will not listen on 0.0.0.0 without a token'],
  [{ ENCORE_HOST: '0.0.0.0', ENCORE_TOKEN: 'too short' }, 'ENCORE_TOKEN has 9 characters'],
  [{ PORT: 'http' }, 'PORT must be a number from 1 to 65535, got http'],
  [{ PORT: '70000' }, 'got 70000'],
])('%j starts nothing and says why', async (env, reason) => {
  const start = startScript('scripts/start.mjs', { ENCORE_TOKEN: '', ...env });
  expect(await ended(start)).toBe(1);
  expect(start.output()).toContain(reason);
  // No banner, no step, no stack trace, and no token.
  expect(start.output().trim().split('\n')).toHaveLength(1);
  expect(start.output()).not.toContain('too short');
});

test.skipIf(process.platform === 'win32')(
  'a signal that npm and its shell keep to themselves ends what they started all the same',
  async () => {
    const program = `import(${steps}).then(({ endWithNpm }) => {
      endWithNpm();
      console.log(process.pid);
      setInterval(() => undefined, 1000);
    })`;
    // As npm runs a script: a shell that waits for it.
    const shell = spawn('sh', ['-c', '"$0" -e "$1"; exit', process.execPath, program], {
      env: { ...process.env, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(shell.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    onTestFinished(() => void (isAlive(pid) && process.kill(pid, 'SIGKILL')));
    expect(isAlive(pid)).toBe(true);
    shell.kill('SIGTERM');
    await eventually(() => !isAlive(pid), 'its end', 10);
  },
);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
