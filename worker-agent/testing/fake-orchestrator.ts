// A stand-in for the orchestrator, over real HTTP and real git: the routes that workers and runners use, with a log that
// refuses gaps, fences, long polls and a switch that takes it away. For tests of the worker only.
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { RunBudget } from '../../protocol/budget.ts';
import type { RunDependencies, RunDependenciesUpdate } from '../../protocol/dependency-cache.ts';
import type { RunMemory, RunMemoryUpdate } from '../../protocol/memory.ts';
import type { Message } from '../../protocol/message.ts';
import type { FinishInput, ProgressInput } from '../../protocol/run.ts';
import type { SandboxUsage } from '../../protocol/sandbox-usage.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { WorkerInput, WorkOrder } from '../../protocol/worker.ts';
import { UNBOUND } from '../agents/coding-agent.ts';
import { headOf, makeRepository, serveGit } from './fake-git.ts';

/** What the orchestrator knows of one run. */
export interface FakeRun {
  order: WorkOrder;
  baseCommit: string;
  startCommit: string;
  logs: Map<string, { bytes: number; pieces: Buffer[] }>;
  progress: ProgressInput[];
  finish: FinishInput | null;
  heartbeats: number;
  /** What the last one told. */
  usage: SandboxUsage | undefined;
  /** All that were sent to its task; the last that its runner has acknowledged; whether it still takes any. */
  messages: Message[];
  delivered: number;
  steerable: boolean;
  /** What the ledger answers. */
  budget: RunBudget;
  /** The notes that it is given, null from an orchestrator that knows of none, and those that it leaves. */
  memory: RunMemory | null;
  leftMemory: RunMemoryUpdate[];
  /** The same of caches of dependencies. */
  dependencies: RunDependencies | null;
  leftDependencies: RunDependenciesUpdate[];
  cancel: boolean;
  stale: boolean;
  deadline: Date;
}

export interface FakeOrchestrator {
  url: string;
  installation: string;
  workers: Map<string, WorkerInput>;
  runs: Map<string, FakeRun>;
  /** Requests of the claim route, as they came: the claim ids. */
  claims: string[];
  repository: string;
  /** Makes another repository, to be named in a run's order; its path. */
  addRepository(id: number, files: Record<string, string>): string;
  /** Makes a run and puts it in the queue. */
  add(
    order: Partial<WorkOrder> & { agentCommand?: string[] },
    run?: { baseCommit?: string; startCommit?: string },
  ): FakeRun;
  cancel(run: FakeRun): void;
  /** Sends a message to the run's task. */
  say(run: FakeRun, text: string): void;
  /** Closes its port and cuts all connections; `comeBack` listens on the same one. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  events(run: FakeRun): Record<string, unknown>[];
  /** All of a stream so far. */
  log(run: FakeRun, stream: string): Buffer;
  /** Resolves when the condition holds; fails with what it waited for after the deadline. */
  until(what: string, condition: () => boolean, seconds?: number): Promise<void>;
  /** Commit of the run's ref. */
  pushed(run: FakeRun): string;
  close(): Promise<void>;
}

/** Number of the repository that it starts with. */
const FIRST = 3;

type Answer = { status: number; body?: unknown };

/** Starts one with a repository of the given files. `directory` is the caller's to remove. */
export async function fakeOrchestrator(
  directory: string,
  files: Record<string, string>,
  gatewayUrl = 'http://127.0.0.1:9',
): Promise<FakeOrchestrator> {
  const repository = path.join(directory, 'origin', `${FIRST}.git`);
  const head = makeRepository(directory, repository, files);
  const installation = randomUUID();
  const runs = new Map<string, FakeRun>();
  const workers = new Map<string, WorkerInput>();
  const claims: string[] = [];
  const claimed = new Map<string, string>();
  const queue: string[] = [];
  const watchers = new Set<() => void>();
  const sockets = new Set<Socket>();
  const changed = () => [...watchers].forEach((watcher) => watcher());

  async function until(
    what: string,
    condition: () => boolean,
    seconds = 20,
    gone?: AbortSignal,
  ): Promise<boolean> {
    const deadline = Date.now() + seconds * 1000;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0 || gone?.aborted) return false;
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          watchers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(left, 50));
        watchers.add(wake);
      });
    }
    return true;
  }

  async function claim(claimId: string, waitSeconds: number, gone: AbortSignal): Promise<Answer> {
    claims.push(claimId);
    if (!claimed.has(claimId)) {
      if (!(await until('work', () => queue.length > 0, waitSeconds, gone)) || gone.aborted)
        return { status: 204 };
      claimed.set(claimId, queue.shift()!);
    }
    const run = runs.get(claimed.get(claimId)!)!;
    return run.finish === null ? { status: 200, body: run.order } : error(409, 'ERR_STATE', 'ended');
  }

  async function ofRun(
    run: FakeRun,
    action: string,
    url: URL,
    body: Buffer,
    gone: AbortSignal,
  ): Promise<Answer> {
    const input = () => JSON.parse(body.toString()) as never;
    if (run.stale || (run.finish !== null && action !== 'finish'))
      return error(409, 'ERR_STALE_FENCE', 'this run is not yours');
    if (action === 'base') {
      const ref = `refs/runs/${run.order.run}`;
      const repositories = run.order.repositories.map(({ id }) => {
        const origin = path.join(directory, 'origin', `${id}.git`);
        const first = id === FIRST ? run : undefined;
        const baseCommit = first?.baseCommit ?? headOf(origin);
        const startCommit = first?.startCommit ?? baseCommit;
        execFileSync('git', ['-C', origin, 'update-ref', ref, startCommit]);
        return { id, baseCommit, startCommit };
      });
      return { status: 200, body: { repositories, ref } };
    }
    if (action === 'heartbeat') {
      run.heartbeats += 1;
      run.usage = (input() as { sandboxUsage?: SandboxUsage }).sandboxUsage;
      const leaseUntil = new Date(Date.now() + run.order.lease.leaseSeconds * 1000).toISOString();
      return { status: 200, body: { leaseUntil, deadline: run.deadline.toISOString(), cancel: run.cancel } };
    }
    if (action === 'progress') {
      run.progress.push(input());
      return { status: 200, body: {} };
    }
    if (action === 'memory' && run.memory === null) return error(404, 'ERR_NOT_FOUND', 'no such route');
    if (action === 'memory' && body.length === 0) return { status: 200, body: run.memory };
    if (action === 'memory') return { status: 200, body: { version: run.leftMemory.push(input()) } };
    if (action === 'dependencies' && run.dependencies === null)
      return error(404, 'ERR_NOT_FOUND', 'no such route');
    if (action === 'dependencies' && body.length === 0) return { status: 200, body: run.dependencies };
    if (action === 'dependencies' && run.dependencies?.kept !== true)
      return error(409, 'ERR_CONFLICT', 'they were cleared');
    if (action === 'dependencies') {
      run.leftDependencies.push(input());
      return { status: 204 };
    }
    if (action === 'budget') return { status: 200, body: run.budget };
    if (action === 'signals') {
      const after = Number(url.searchParams.get('after'));
      await until(
        'a signal',
        () => run.cancel || run.stale || run.messages.length > after,
        Number(url.searchParams.get('waitSeconds')),
        gone,
      );
      return { status: 200, body: { cancel: run.cancel, messages: run.messages.slice(after) } };
    }
    if (action === 'messages') {
      const { delivered, last } = input() as { delivered: number; last: boolean };
      run.delivered = Math.max(run.delivered, delivered);
      const messages = run.messages.slice(delivered);
      if (last && messages.length === 0) run.steerable = false;
      return { status: 200, body: { messages } };
    }
    if (action === 'finish') return finish(run, input());
    return appendLog(run, action.slice('logs/'.length), Number(url.searchParams.get('offset')), body);
  }

  function finish(run: FakeRun, input: FinishInput): Answer {
    for (const [stream, end] of Object.entries(input.logs)) {
      const have = logOf(run, stream);
      if (have.length !== end.bytes)
        return error(409, 'ERR_LOG_INCOMPLETE', `${stream}: ${have.length} of ${end.bytes}`);
      if (createHash('sha256').update(have).digest('hex') !== end.sha256)
        return error(409, 'ERR_CONFLICT', `digest of ${stream}`);
    }
    run.finish ??= input;
    return { status: 200, body: {} };
  }

  async function answer(request: IncomingMessage, body: Buffer, gone: AbortSignal): Promise<Answer> {
    const url = new URL(request.url!, 'http://fake');
    const [kind, name, ...rest] = url.pathname.replace('/api/v1/', '').split('/');
    const token = request.headers.authorization?.replace('Bearer ', '');
    if (kind === 'workers') {
      if (token !== 'worker-token') return error(401, 'ERR_UNAUTHENTICATED', 'no');
      const input = JSON.parse(body.toString()) as WorkerInput & { claimId: string; waitSeconds: number };
      if (rest[0] === 'claim') return await claim(input.claimId, input.waitSeconds, gone);
      workers.set(name!, input);
      return { status: 200, body: { protocol: PROTOCOL_VERSION, installation: fake.installation, runs: [] } };
    }
    const run = runs.get(name!);
    if (run === undefined || token !== run.order.runToken) return error(401, 'ERR_UNAUTHENTICATED', 'no');
    const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    return await ofRun(run, rest.join('/'), url, plain, gone);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url!.startsWith('/git/')) return serveGit(request, response, path.dirname(repository), runs);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const { status, body } = await answer(request, Buffer.concat(pieces), gone.signal);
    if (response.destroyed) return;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? '' : JSON.stringify(body));
    changed();
  }

  const server = http.createServer(
    (request, response) => void serve(request, response).catch(() => response.destroy()),
  );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const fake: FakeOrchestrator = {
    url: `http://127.0.0.1:${port}`,
    installation,
    workers,
    runs,
    claims,
    repository,
    addRepository(id, more) {
      const made = path.join(directory, 'origin', `${id}.git`);
      makeRepository(directory, made, more);
      return made;
    },
    add({ agentCommand, ...order }, commits = {}) {
      const task = runs.size + 1;
      const run: FakeRun = {
        order: { ...orderOf(task, installation, gatewayUrl, agentCommand), ...order },
        baseCommit: commits.baseCommit ?? head,
        startCommit: commits.startCommit ?? commits.baseCommit ?? head,
        logs: new Map(),
        progress: [],
        finish: null,
        heartbeats: 0,
        usage: undefined,
        messages: [...(order.messages ?? [])],
        delivered: 0,
        steerable: true,
        budget: UNBOUND,
        memory: { kept: false, repositories: [] },
        leftMemory: [],
        dependencies: null,
        leftDependencies: [],
        cancel: false,
        stale: false,
        deadline: new Date(Date.now() + 600_000),
      };
      run.deadline = new Date(run.order.deadline);
      runs.set(run.order.run, run);
      queue.push(run.order.run);
      changed();
      return run;
    },
    cancel(run) {
      run.cancel = true;
      changed();
    },
    say(run, text) {
      const number = run.messages.length + 1;
      run.messages.push({ number, author: 'ann', text, at: new Date().toISOString() });
      changed();
    },
    async goAway() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
    async comeBack() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    log: logOf,
    events: (run) =>
      logOf(run, 'events')
        .toString()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async until(what, condition, seconds) {
      if (!(await until(what, condition, seconds))) throw new Error(`waited in vain for ${what}`);
    },
    pushed: (run) =>
      execFileSync('git', ['-C', repository, 'rev-parse', `refs/runs/${run.order.run}`])
        .toString()
        .trim(),
    async close() {
      if (server.listening) await fake.goAway();
    },
  };
  return fake;
}

function logOf(run: FakeRun, stream: string): Buffer {
  return Buffer.concat(run.logs.get(stream)?.pieces ?? []);
}

function appendLog(run: FakeRun, stream: string, offset: number, bytes: Buffer): Answer {
  const log = run.logs.get(stream) ?? { bytes: 0, pieces: [] };
  if (offset > log.bytes)
    return {
      status: 409,
      body: { error: { code: 'ERR_LOG_GAP', message: 'gap', details: { bytes: log.bytes } } },
    };
  const fresh = bytes.subarray(log.bytes - offset);
  log.pieces.push(fresh);
  log.bytes += fresh.length;
  run.logs.set(stream, log);
  return { status: 200, body: { bytes: log.bytes } };
}

function error(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message, remedy: 'Mend it.' } } };
}

function orderOf(
  task: number,
  installation: string,
  gatewayUrl: string,
  command: string[] = ['true'],
): WorkOrder {
  return {
    run: `${task}-1`,
    fence: 1,
    installation,
    task: {
      id: task,
      title: 'Make it work',
      body: 'It does not work yet.',
      acceptance: [],
      targetFiles: [],
      kind: 'change',
    },
    project: { id: 1, name: 'sample', trusted: true },
    repositories: [{ id: FIRST, name: 'sample', path: '.', baseBranch: 'main', gitPath: '/git/3.git' }],
    agent: { name: 'command', command, model: '' },
    isolation: 'directory',
    verify: [],
    permissions: {},
    planning: { only: false, approved: null, rejected: null },
    messages: [],
    limits: { maxIterations: 2, verifyTimeoutSeconds: 30, verifyOutputBytes: 64 * 1024 },
    deadline: new Date(Date.now() + 600_000).toISOString(),
    lease: { heartbeatSeconds: 1, leaseSeconds: 3, selfStopSeconds: 60, takesUsage: true },
    runToken: `run-token-${randomUUID()}`,
    gatewayKey: `gateway-key-${task}`,
    gatewayUrl,
    egress: null,
    previous: null,
  };
}
