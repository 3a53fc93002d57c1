// Runs the CLI as its users do: as a process, against whatever answers. For tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import type { Project } from '../../../protocol/project.ts';
import type { Task } from '../../../protocol/task.ts';

const ENTRY = join(import.meta.dirname, '../main.ts');
const COMPILED = join(import.meta.dirname, '../../../.runtime/compile-cache');

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `autocode <words>` with a small environment of its own. */
export async function runCli(
  words: string[],
  options: { env?: Record<string, string>; node?: string[]; input?: string } = {},
): Promise<CliResult> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '/',
    NODE_COMPILE_CACHE: COMPILED,
    ...options.env,
  };
  const child = spawn(process.execPath, [...(options.node ?? []), ENTRY, ...words], { env, stdio: 'pipe' });
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

export interface FakeApi extends AsyncDisposable {
  url: string;
  /** Method, path with query, and body of each request. */
  requests: { line: string; body: unknown; authorization: string | undefined }[];
}

type Answer =
  | { status?: number; body: unknown }
  | ((request: IncomingMessage, response: ServerResponse) => void);

/** A server that answers by `METHOD /path` (below /api/v1, without the query); everything else is 404 in the API's own shape. */
export async function fakeApi(answers: Record<string, Answer>): Promise<FakeApi> {
  const requests: FakeApi['requests'] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const path = (request.url ?? '').replace('/api/v1', '');
    requests.push({
      line: `${request.method} ${path}`,
      body: body === '' ? undefined : JSON.parse(body),
      authorization: request.headers.authorization,
    });
    const answer = answers[`${request.method} ${path.split('?')[0]}`];
    if (typeof answer === 'function') return answer(request, response);
    const missing = {
      error: { code: 'ERR_NOT_FOUND', message: `There is no ${path}.`, remedy: 'Look elsewhere.' },
    };
    response.writeHead(answer === undefined ? 404 : (answer.status ?? 200), {
      'content-type': 'application/json',
    });
    response.end(JSON.stringify(answer === undefined ? missing : answer.body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A task as the API answers it. */
export function aTask(fields: Partial<z.input<typeof Task>> = {}): z.input<typeof Task> {
  return {
    id: 7,
    project: 'shop',
    title: 'Fix the date test',
    body: '',
    acceptance: [],
    targetFiles: [],
    priority: 0,
    kind: 'change',
    repositories: [{ id: 3, name: 'shop', baseBranch: 'main' }],
    agent: 'qwen-coder',
    model: 'replay/demo',
    limits: {},
    state: 'queued',
    pendingReason: null,
    reason: null,
    attempt: 0,
    currentRun: null,
    changes: [],
    notBefore: null,
    createdBy: 'local',
    createdAt: '2026-11-20T10:00:00.000Z',
    updatedAt: '2026-11-20T10:00:00.000Z',
    finishedAt: null,
    ...fields,
  };
}

/** A project as the API answers it. */
export function aProject(fields: Partial<z.input<typeof Project>> = {}): z.input<typeof Project> {
  return {
    id: 3,
    name: 'shop',
    repositories: [
      { id: 3, name: 'shop', origin: '/srv/shop', hosted: false, defaultBranch: 'main', forge: 'local' },
    ],
    verify: [{ name: 'test', command: 'npm test' }],
    agent: null,
    agentCommand: null,
    model: null,
    limits: {},
    trusted: true,
    createdAt: '2026-11-20T10:00:00.000Z',
    archivedAt: null,
    ...fields,
  };
}
