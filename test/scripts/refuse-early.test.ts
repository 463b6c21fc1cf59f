import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { EncoreError } from '../../lib/contracts/errors.ts';
import { problemSchema } from '../../lib/contracts/generation.ts';
import { toProblem } from '../../lib/studio/serialize.ts';

test('what Next would answer with a bare 500 is refused in the one shape, everything else passes', async () => {
  await import('../../scripts/lib/refuse-early.mjs');
  const server = createServer((_, response) => response.end('passed'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const ask = (method: string, path: string) =>
    new Promise<{ status?: number; allow?: string; body: string }>((resolve, reject) => {
      request({ port, method, path, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        const { statusCode: status, headers } = response;
        response.on('end', () => resolve({ status, allow: headers.allow, body }));
      })
        .on('error', reject)
        .end();
    });

  const trace = await ask('TRACE', '/api/v1/generations');
  expect(trace).toMatchObject({ status: 405, allow: expect.stringContaining('PATCH') as string });
  const garbled = await ask('GET', '/api/v1/generations/%E0%A4%A');
  expect(garbled.status).toBe(400);
  for (const [{ body }, code] of [
    [trace, 'method_not_allowed'],
    [garbled, 'invalid_request'],
  ] as const) {
    const problem = problemSchema.parse(JSON.parse(body));
    expect(problem).toEqual(toProblem(new EncoreError(code, problem.detail)));
  }
  for (const path of ['/', '/api/v1/generations/%F0%9F%98%80?q=%E0%A4%A', '/a%2Fb'])
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: 'passed' });
});
