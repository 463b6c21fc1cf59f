import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HubServer {
  address: string;
  close: () => void;
  /** Every request, in order: which server, what for, with what. */
  asked: { server: 'hub' | 'files'; path: string; headers: IncomingHttpHeaders }[];
  /** Connections for the UNet's weights that are cut after so many bytes, one after the other. */
  cuts: number[];
  /** Pause after each 64 kB, in ms. */
  pauseMs: number;
  /** Files whose content is sent with one bit turned. */
  damaged: Set<string>;
  /** What the hub demands, as `Authorization`. */
  authorization: string | undefined;
  /** Where weights are redirected to, in place of the own server for files. */
  elsewhere: string | undefined;
}

export const COMMIT = 'c0ffee'.padEnd(40, '0');

/**
 * A server that speaks the hub's HTTP: weights are kept by another server, which one is redirected to, as the real one
 * does with its large files. `files` by their paths in the repository.
 */
export async function startHub(repo: string, files: Readonly<Record<string, Buffer>>): Promise<HubServer> {
  const closers: (() => void)[] = [];
  const state: HubServer = {
    address: '',
    close: () => closers.forEach((close) => close()),
    asked: [],
    cuts: [],
    pauseMs: 0,
    damaged: new Set(),
    authorization: undefined,
    elsewhere: undefined,
  };
  const isLarge = (path: string) => path.endsWith('.safetensors');
  const store = await listen(closers, async (path, headers, response) => {
    state.asked.push({ server: 'files', path, headers });
    await sendFile(state, path.slice(1), files, headers, response);
  });
  state.address = await listen(closers, async (path, headers, response) => {
    state.asked.push({ server: 'hub', path, headers });
    if (state.authorization !== undefined && headers.authorization !== state.authorization) {
      return end(response, 401);
    }
    if (path.startsWith(`/api/models/${repo}/revision/`)) {
      const siblings = Object.entries(files).map(([rfilename, content]) => ({
        rfilename,
        size: content.length,
        blobId: createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex'),
        ...(isLarge(rfilename) ? { lfs: { sha256: sha256(content), size: content.length } } : {}),
      }));
      return end(
        response,
        200,
        { 'content-type': 'application/json' },
        JSON.stringify({ sha: COMMIT, siblings }),
      );
    }
    const prefix = `/${repo}/resolve/${COMMIT}/`;
    const name = path.startsWith(prefix) ? path.slice(prefix.length) : '';
    const content = files[name];
    if (content === undefined) return end(response, 404);
    if (!isLarge(name)) return sendFile(state, name, files, headers, response);
    const location = state.elsewhere ?? `${store}/${name}`;
    return end(response, 302, { location, 'x-linked-etag': `"${sha256(content)}"` });
  });
  return state;
}

async function sendFile(
  state: HubServer,
  name: string,
  files: Readonly<Record<string, Buffer>>,
  headers: IncomingHttpHeaders,
  response: ServerResponse,
): Promise<void> {
  const content = Buffer.from(files[name] ?? '');
  if (state.damaged.has(name)) content[content.length - 1]! ^= 1;
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  if (from >= content.length && from > 0) return end(response, 416);
  const cut = name.startsWith('unet/diffusion') ? state.cuts.shift() : undefined;
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': content.length - from,
    ...(from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
  });
  const STEP = 64 * 1024;
  for (let at = from; at < content.length && !response.destroyed; at += STEP) {
    const until = Math.min(at + STEP, content.length, cut === undefined ? Infinity : from + cut);
    await new Promise((resolve) => response.write(content.subarray(at, until), resolve));
    if (cut !== undefined && until >= from + cut) {
      response.destroy();
      return;
    }
    if (state.pauseMs > 0) await sleep(state.pauseMs);
  }
  response.end();
}

function end(response: ServerResponse, status: number, headers = {}, body = ''): void {
  response.writeHead(status, headers).end(body);
}

async function listen(
  closers: (() => void)[],
  answer: (path: string, headers: IncomingHttpHeaders, response: ServerResponse) => Promise<void> | void,
): Promise<string> {
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
    void Promise.resolve(answer(path, request.headers, response)).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
