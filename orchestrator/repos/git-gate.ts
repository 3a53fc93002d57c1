// Smart HTTP for runners: each may fetch and push its own ref of its repository's mirror, nothing else.
// The caller has checked the run token. Used by the API's /git route.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Duplex, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runRef } from './base.ts';
import { repositoryPath } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';

export interface GateAccess {
  run: string;
  fence: number;
  repository: number;
}

export interface GateOptions {
  store: RepositoryStore;
  /** Whether the run is live and the fence its own; asked before the request and again before a ref changes. */
  isCurrent(run: string, fence: number): Promise<boolean>;
  maxPushBytes?: number;
  onError?: (error: unknown) => void;
}

export type GitGate = (
  request: IncomingMessage,
  response: ServerResponse,
  access: GateAccess,
) => Promise<void>;

const HOOKS = join(import.meta.dirname, 'git-hooks');
const DEFAULT_MAX_PUSH_BYTES = 1 << 30;
const HEAD_MAX_BYTES = 64 << 10;
const ROUTE = /^\/git\/(\d+)\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/;

/** Makes the handler of /git/<repository>.git/*. It always answers, and never throws. */
export function createGitGate(options: GateOptions): GitGate {
  return async (request, response, access) => {
    try {
      await handle(options, request, response, access);
    } catch (error) {
      if (!clientGone(error)) options.onError?.(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 503, 'The mirror cannot be served now; try again.');
    }
  };
}

function clientGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

async function handle(
  options: GateOptions,
  request: IncomingMessage,
  response: ServerResponse,
  access: GateAccess,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://gate');
  const [, repository, service] = ROUTE.exec(url.pathname) ?? [];
  const mirror = repositoryPath(options.store, access.repository, 'mirror.git');
  if (service === undefined || !isGitRequest(request.method, service, url))
    return refuse(response, 404, 'There is nothing here.');
  if (repository !== String(access.repository))
    return refuse(response, 403, 'This repository is not the one of the run.');
  if (!existsSync(mirror)) return refuse(response, 404, 'The run has no base yet.');
  if (!(await options.isCurrent(access.run, access.fence))) return refuse(response, 409, staleText(access));
  await serve(options, request, response, access, { url, service });
}

function isGitRequest(method: string | undefined, service: string, url: URL): boolean {
  if (service !== 'info/refs') return method === 'POST';
  return method === 'GET' && /^git-(upload|receive)-pack$/.test(url.searchParams.get('service') ?? '');
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
    .end(`${text}\n`);
}

function staleText({ run, fence }: GateAccess): string {
  return `the run ${run} is over, or ${fence} is not its fence`;
}

async function serve(
  options: GateOptions,
  request: IncomingMessage,
  response: ServerResponse,
  access: GateAccess,
  { url, service }: { url: URL; service: string },
): Promise<void> {
  const child = spawn('git', ['http-backend'], {
    env: {
      ...options.store.git.environment(backendConfig(options, access)),
      ...cgi(options, request, access, url, service),
    },
    stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
    detached: true, // a group of its own, so that index-pack and the hook go with it
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = () => void (child.exitCode === null && child.signalCode === null && killGroup(child));
  response.once('close', stop);
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
  answerHook(child.stdio[3] as Duplex, options, access);
  pipeline(request, child.stdin as Writable).catch(() => {}); // git may stop reading early: its answer says why
  try {
    await Promise.race([relayAnswer(child.stdout as Readable, response), failed]);
    await ended;
  } finally {
    stop();
  }
}

// Negative pid: the whole group. It may be gone already.
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  } catch {
    // ended by itself in between
  }
}

// The hook asks once, when the pack is here and checked, and waits for the answer before any ref changes.
function answerHook(socket: Duplex, { isCurrent, onError }: GateOptions, access: GateAccess): void {
  socket.on('error', () => {}); // git is gone, and with it the hook
  socket.once('data', async () => {
    const current = await isCurrent(access.run, access.fence).catch((error: unknown) => {
      onError?.(error);
      return false;
    });
    socket.write(current ? 'yes\n' : `${staleText(access)}\n`);
  });
}

// A run's own ref may be forced: an agent rewrites its commits, and nothing but the run's next push builds on them.
function backendConfig({ maxPushBytes }: GateOptions, { run }: GateAccess): Record<string, string> {
  return {
    'core.hooksPath': HOOKS,
    'transfer.hideRefs': 'refs',
    'uploadpack.hideRefs': `!${runRef(run)}`,
    'receive.hideRefs': `!${runRef(run)}`,
    'http.receivepack': 'true',
    'http.getanyfile': 'false',
    'receive.fsckObjects': 'true',
    'receive.denyDeletes': 'true',
    'receive.maxInputSize': String(maxPushBytes ?? DEFAULT_MAX_PUSH_BYTES),
    'receive.unpackLimit': '1',
    'receive.autogc': 'false',
  };
}

// CONTENT_LENGTH is not passed on: with it http-backend goes on reading, for ever and at full speed, where a body ends early, as it
// does when this process is killed. Without, it reads to the end of the body.
// GIT_PROTOCOL is not passed on: protocol 2 hands out any object by its id, the first one only what the shown refs reach.
function cgi(
  { store }: GateOptions,
  request: IncomingMessage,
  { run, repository }: GateAccess,
  url: URL,
  service: string,
): Record<string, string> {
  const { 'content-type': type, 'content-encoding': encoding } = request.headers;
  return {
    GIT_PROJECT_ROOT: join(store.dir, String(repository)),
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/mirror.git/${service}`,
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    REMOTE_USER: 'run',
    REMOTE_ADDR: '127.0.0.1',
    CONTENT_TYPE: type ?? '',
    AUTOCODE_REF: runRef(run),
    ...(encoding === undefined ? {} : { HTTP_CONTENT_ENCODING: encoding }),
  };
}

// The backend writes headers, an empty line and the body.
async function relayAnswer(output: Readable, response: ServerResponse): Promise<void> {
  const { head, rest } = await readHead(output);
  let status = 200;
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n')) {
    const [name = '', value = ''] = line.split(/:\s*(.*)/s);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else if (name !== '') headers[name.toLowerCase()] = value;
  }
  response.writeHead(status, headers);
  if (rest.length > 0) response.write(rest);
  await pipeline(output, response);
}

async function readHead(output: Readable): Promise<{ head: string; rest: Buffer }> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end >= 0) return { head: bytes.subarray(0, end).toString(), rest: bytes.subarray(end + 4) };
    if (bytes.length > HEAD_MAX_BYTES) break;
  }
  throw new Error(`git http-backend gave no answer: ${bytes.toString('latin1', 0, 200)}`);
}
