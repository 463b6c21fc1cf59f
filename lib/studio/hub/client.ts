import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { lookup } from 'node:dns/promises';
import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import type { HubEnv } from '../env.ts';
import { isPublic, lookupPublic, requirePublicHost } from './public-address.ts';

/** A file of a repository. */
export interface HubFile {
  path: string;
  bytes: number;
  /** Of its content, hex; null for small files that git keeps itself. */
  sha256: string | null;
  /** Of git's blob, hex: what small files are known by. */
  blobSha1: string | null;
}

export interface HubRepository {
  /** What the revision was when it was asked for. */
  commit: string;
  files: HubFile[];
}

/** A file on its way. */
export interface HubDownload {
  body: IncomingMessage;
  /** Where `body` begins: 0 where the server does not know ranges. */
  from: number;
  /** sha256 that the hub links to the file, hex. */
  linked: string | null;
}

const repositorySchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{7,64}$/),
  siblings: z
    .array(
      z.object({
        rfilename: z.string(),
        size: z.int().min(0).optional(),
        blobId: z.string().optional(),
        lfs: z.object({ sha256: z.string().optional(), size: z.int().min(0).optional() }).nullish(),
      }),
    )
    .max(100_000),
});

const MAX_REDIRECTS = 5;
const MAX_LISTING_BYTES = 32 * 1024 * 1024;
/** Silence on a connection after which it is given up, in ms. */
const SILENCE_MS = 30_000;

/**
 * The HTTP of the Hugging Face hub and of mirrors that speak it. Only the hub's own address is trusted: from there one may
 * be sent to https addresses of the open internet, or, by a hub of the own network, to that network. The token goes to
 * the hub alone. node:http is used directly, because only there the address that is connected to can be checked.
 * Source: huggingface_hub, `HfApi.model_info` and `hf_hub_download`.
 */
export class HubClient {
  readonly #hub: URL;
  readonly #token: string | undefined;
  #isLocal: Promise<boolean> | undefined;

  /** @param isLocal whether the hub is one of the own network; found out from its address where it is missing */
  constructor({ address, token }: Pick<HubEnv, 'address' | 'token'>, isLocal?: boolean) {
    this.#hub = new URL(address);
    this.#token = token;
    this.#isLocal = isLocal === undefined ? undefined : Promise.resolve(isLocal);
  }

  /** Files of a repository at a branch, tag or commit. @throws EncoreError `not_found`, `hub_refused` */
  async list(repo: string, revision: string, signal: AbortSignal): Promise<HubRepository> {
    const url = this.#url(`api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`);
    const response = await this.#get(url, {}, signal);
    if (response.statusCode !== 200) throw refusal(response, `${repo} at ${revision}`);
    const parsed = repositorySchema.safeParse(parseJson(await readText(response)));
    if (!parsed.success) {
      throw new EncoreError('hub_refused', `The hub described ${repo} in a way that is not understood.`, {
        cause: parsed.error,
      });
    }
    const { sha, siblings } = parsed.data;
    return {
      commit: sha,
      files: siblings
        .filter(({ rfilename }) => isSafePath(rfilename))
        .map(({ rfilename, size, lfs, blobId }) => ({
          path: rfilename,
          bytes: lfs?.size ?? size ?? 0,
          sha256: lfs?.sha256?.toLowerCase() ?? null,
          blobSha1: lfs == null && /^[0-9a-f]{40}$/.test(blobId ?? '') ? (blobId ?? null) : null,
        })),
    };
  }

  /** Opens a file of a commit, from a byte on. @throws EncoreError `not_found`, `hub_refused` */
  async open(
    repo: string,
    commit: string,
    path: string,
    from: number,
    signal: AbortSignal,
  ): Promise<HubDownload> {
    const url = this.#url(`${repo}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`);
    let linked: string | null = null;
    const headers = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
    const body = await this.#get(url, headers, signal, (hop) => {
      linked ??= hashIn(hop.headers['x-linked-etag']);
    });
    if (body.statusCode === 206 && startOf(body) === from) return { body, from, linked };
    if (body.statusCode === 200) return { body, from: 0, linked };
    // Nothing is left after the last byte.
    if (body.statusCode === 416 && from > 0) return { body: body.resume(), from, linked };
    throw refusal(body, path);
  }

  #url(path: string): URL {
    return new URL(`${this.#hub.href.replace(/\/+$/, '')}/${path}`);
  }

  async #get(
    first: URL,
    headers: Record<string, string>,
    signal: AbortSignal,
    onHop: (response: IncomingMessage) => void = () => undefined,
  ): Promise<IncomingMessage> {
    let url = first;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await send(url, await this.#options(url, headers, signal));
      onHop(response);
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || location === undefined)
        return response;
      response.destroy();
      if (!URL.canParse(location, url)) throw new EncoreError('hub_refused', 'The hub led to no address.');
      url = new URL(location, url);
    }
    throw new EncoreError('hub_refused', `The hub led from place to place ${MAX_REDIRECTS} times.`);
  }

  async #options(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<RequestOptions> {
    const plain = { headers: { ...headers, 'user-agent': 'encore' }, signal, timeout: SILENCE_MS };
    if (url.origin === this.#hub.origin) {
      const authorization = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
      return { ...plain, headers: { ...plain.headers, ...authorization } };
    }
    if (await this.#hubIsLocal()) return plain;
    if (url.protocol !== 'https:') {
      throw new EncoreError('hub_refused', `The hub led to ${url.host.slice(0, 200)} without encryption.`);
    }
    requirePublicHost(url.hostname);
    return { ...plain, lookup: lookupPublic };
  }

  #hubIsLocal(): Promise<boolean> {
    this.#isLocal ??= (async () => {
      const name = this.#hub.hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(name) !== 0) return !isPublic(name);
      const addresses = await lookup(name, { all: true });
      return addresses.every(({ address }) => !isPublic(address));
    })();
    return this.#isLocal;
  }
}

function send(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, resolve);
    request.on('timeout', () =>
      request.destroy(new Error(`${url.host} said nothing for ${SILENCE_MS / 1000} s`)),
    );
    request.on('error', reject);
    request.end();
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MAX_LISTING_BYTES) throw new EncoreError('hub_refused', 'The hub listed too much to be read.');
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(response: IncomingMessage, what: string): EncoreError {
  const status = response.statusCode ?? 0;
  response.destroy();
  if (status === 401 || status === 403) {
    return new EncoreError('hub_refused', `The hub does not show ${what} to just anyone (${status}).`, {
      remedy: 'Accept its terms on the hub, then set ENCORE_HUB_TOKEN to a token of yours that may read it.',
    });
  }
  if (status === 404) {
    return new EncoreError('hub_refused', `The hub has no ${what}.`, {
      remedy: 'Check the name; it is written ORG/NAME.',
    });
  }
  return new EncoreError('hub_refused', `The hub answered ${status} when asked for ${what}.`, {
    remedy: 'Try again later.',
    retryable: status === 408 || status === 429 || status >= 500,
  });
}

function hashIn(header: string | string[] | undefined): string | null {
  const [etag] = [header].flat();
  return /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(etag ?? '')?.[1]?.toLowerCase() ?? null;
}

/** First byte of a `Content-Range: bytes 5-9/10`. */
function startOf(response: IncomingMessage): number | null {
  const match = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '');
  return match === null ? null : Number(match[1]);
}

/** Names come from a stranger and become paths here. */
export function isSafePath(path: string): boolean {
  const parts = path.split('/');
  return path.length <= 400 && parts.every((part) => /^[\w][\w. +()-]*$/.test(part) && !part.endsWith('.'));
}
