// An API on a fresh database and a directory of its own, for tests: real parts, requests injected.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Role } from '../../protocol/access.ts';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createToken, runTokens } from '../access/tokens.ts';
import { loadConfig } from '../config/load.ts';
import { runningSettings } from '../config/settings.ts';
import { stopListening } from '../db/notifications.ts';
import { sealer } from '../intake/sealing.ts';
import { catalogue } from '../models/catalogue.ts';
import { openRoleBook } from '../models/roles.ts';
import { promptsKey } from '../prompts/key.ts';
import { createGit } from '../repos/git.ts';
import { openForges } from '../repos/forge/forges.ts';
import { bindRepositories } from '../repos/repositories.ts';
import { redactor } from '../redaction/redactor.ts';
import { fileSecrets } from '../secrets/file.ts';
import { LogStore } from '../workers/log-store.ts';
import { buildApi } from './server.ts';

export interface TestApi {
  app: FastifyInstance;
  db: TestDatabase;
  directory: string;
  /** Sends a request with a token of the role and gives status, headers and parsed body. */
  send(
    role: Role | null,
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    body?: InjectOptions['payload'],
    headers?: Record<string, string>,
  ): Promise<Answer>;
  token(role: Role): Promise<string>;
  stop(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  // The tests look into whatever came.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
  text: string;
}

/** Builds the API; `set` are configuration flags as `api.bodyLimitBytes=2048`. */
export async function testApi(set: string[] = []): Promise<TestApi> {
  const db = await testDatabase();
  const directory = await mkdtemp(path.join(tmpdir(), 'autocode-api-'));
  const sources = { env: {}, set: [`dataDir=${directory}`, ...set], cwd: directory };
  const loaded = loadConfig(sources);
  const { config } = loaded;
  const stopping = new AbortController();
  const secrets = fileSecrets(path.join(directory, 'secrets'));
  const forges = openForges({ db: db.pool, secrets, configured: config.forges });
  const { credentials } = forges;
  const store = {
    git: createGit({ path: process.env.PATH ?? '', home: directory, configDir: directory, credentials }),
    dir: path.join(directory, 'repositories'),
  };
  const roleBook = await openRoleBook(db.pool, () => {});
  const models = catalogue({
    ...config.models,
    setRoles: roleBook.current,
    recordingDirectories: [path.join(import.meta.dirname, '../../examples/recordings')],
  });
  const author = { name: 'Autocode', email: 'autocode@localhost' };
  const app = await buildApi(
    {
      db: db.pool,
      config,
      settings: runningSettings(loaded, sources),
      process: { startedAt: new Date().toISOString() },
      secrets,
      redactor: () => redactor([]),
      prompts: { directory: path.join(directory, 'prompts'), key: async () => await promptsKey(secrets) },
      logs: new LogStore(path.join(directory, 'logs')),
      environmentsDirectory: directory,
      repositories: bindRepositories({
        db: db.pool,
        store,
        author,
        forges,
        stopping: stopping.signal,
        onError: () => {},
      }),
      models: () => models.list(),
      catalogue: models,
      roleBook,
      sealer: sealer(Buffer.alloc(32, 7)),
      runTokens: runTokens(Buffer.alloc(32, 7)),
      gatewayUrl: () => 'http://127.0.0.1:1',
      status: () => Promise.reject(new Error('status is tested with the daemon')),
      stopping: stopping.signal,
      log: { warn: () => {}, error: () => {} },
    },
    '0.0.0',
  );
  const tokens = new Map<Role, string>();
  const token = async (role: Role) => {
    const made =
      tokens.get(role) ?? (await createToken(db.pool, { name: role, role: role as 'admin' })).token;
    tokens.set(role, made);
    return made;
  };
  return {
    app,
    db,
    directory,
    token,
    async send(role, method, url, body, headers = {}) {
      const authorization = role === null ? {} : { authorization: `Bearer ${await token(role)}` };
      const answer = await app.inject({
        method,
        url,
        headers: { ...authorization, ...headers },
        ...(body === undefined ? {} : { payload: body }),
      });
      const json = String(answer.headers['content-type']).includes('json') && answer.payload !== '';
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: json ? answer.json() : undefined,
        text: answer.payload,
      };
    },
    stop: () => stopping.abort(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await app.close();
      await stopListening(db.pool);
      await db[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
