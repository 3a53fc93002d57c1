// A real Gitea on loopback for one test file: `await using gitea = await startGitea()`. Its files, users and process go
// when it is disposed. Built by scripts/servers/gitea/build.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';

const SERVER = join(import.meta.dirname, '../../.runtime/servers/gitea-1.26.0');
const PROGRAM = join(SERVER, 'gitea');
const START_MS = 120_000;
/** No page of a list is longer. */
export const PAGE = 5;
const PASSWORD = 'Adm1n-pass!';

const run = promisify(execFile);

export interface Gitea {
  url: string;
  /** Of the administrator `root0`. */
  adminToken: string;
  /** Of the user `bot`, with the scopes that the documentation asks for to submit and to import. */
  botToken: string;
  /** A call of its API, by the administrator unless another token is given; throws what is not a success. */
  call(method: string, path: string, body?: object, token?: string): Promise<any>; // eslint-disable-line @typescript-eslint/no-explicit-any
  /** Another token of a user. */
  token(user: string, scopes: string[]): Promise<string>;
  /** Makes the newest token of a user worthless. */
  revokeLast(user: string): Promise<void>;
  addUser(name: string): Promise<void>;
  /** A private repository of the organisation `acme` with a first commit, to which `bot` may write; its address. */
  repository(name: string, files?: Record<string, string>): Promise<string>;
  /** Ends the process as a power cut would; `start` brings it back on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a server with its own SQLite database: some seconds. */
export async function startGitea(): Promise<Gitea> {
  const dir = await mkdtemp(join(tmpdir(), 'autocode-gitea-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { PATH: process.env.PATH, HOME: dir, GITEA_WORK_DIR: dir, GOGC: '400' }; // each hook is a start of it
  const admin = async (...args: string[]) => (await run(PROGRAM, args, { env, cwd: dir })).stdout.trim();
  await mkdir(join(dir, 'custom/conf'), { recursive: true });
  await writeFile(join(dir, 'custom/conf/app.ini'), configuration(dir, port));
  const server = supervise(dir, url, env);
  await server.start();
  const said = await admin(
    'admin',
    'user',
    'create',
    '--username',
    'root0',
    '--password',
    PASSWORD,
    '--email',
    'root0@example.test',
    '--admin',
    '--must-change-password=false',
    '--access-token',
    '--access-token-name',
    'all',
    '--access-token-scopes',
    'all',
  );
  const [adminToken] = /\b[0-9a-f]{40}\b/.exec(said)!;

  const call: Gitea['call'] = async (method, path, body, token = adminToken) => {
    const headers = { authorization: `token ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
    return text === '' || !answer.headers.get('content-type')?.includes('json') ? text : JSON.parse(text);
  };
  const addUser = async (name: string) => {
    await call('POST', '/admin/users', {
      username: name,
      email: `${name}@example.test`,
      password: PASSWORD,
      must_change_password: false,
    });
  };
  let tokens = 0;
  const asUser = async (user: string, method: string, path: string, body?: object) => {
    const headers = {
      authorization: `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`,
      'content-type': 'application/json',
    };
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    return await fetch(`${url}/api/v1/users/${user}/tokens${path}`, { method, headers, ...content });
  };
  const token = async (user: string, scopes: string[]) => {
    const answer = await asUser(user, 'POST', '', { name: `t${++tokens}`, scopes });
    return ((await answer.json()) as { sha1: string }).sha1;
  };
  await addUser('bot');
  await call('POST', '/orgs', { username: 'acme' });
  return {
    url,
    adminToken,
    botToken: await token('bot', ['write:repository', 'write:issue', 'read:user']),
    call,
    token,
    revokeLast: async (user) => void (await asUser(user, 'DELETE', `/t${tokens}`)),
    addUser,
    async repository(name, files = {}) {
      await call('POST', '/orgs/acme/repos', {
        name,
        private: true,
        auto_init: true,
        default_branch: 'main',
      });
      await call('PUT', `/repos/acme/${name}/collaborators/bot`, { permission: 'write' });
      for (const [path, text] of Object.entries(files)) {
        await call('POST', `/repos/acme/${name}/contents/${path}`, {
          content: Buffer.from(text).toString('base64'),
          message: path,
        });
      }
      return `${url}/acme/${name}.git`;
    },
    kill: server.kill,
    start: server.start,
    async [Symbol.asyncDispose]() {
      await server.kill();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function supervise(dir: string, url: string, env: NodeJS.ProcessEnv) {
  let child: ReturnType<typeof spawn> | undefined;
  const end = () => void child?.kill('SIGKILL'); // a test that is stopped takes its server along
  return {
    async start() {
      child = spawn(PROGRAM, ['web'], { cwd: dir, env, stdio: 'ignore' });
      process.once('exit', end);
      for (const deadline = Date.now() + START_MS; ; await delay(50)) {
        const healthy = await fetch(`${url}/api/healthz`).then(
          (answer) => answer.ok,
          () => false,
        );
        if (healthy) return;
        if (child.exitCode !== null || Date.now() > deadline) {
          const log = await readFile(join(dir, 'log/gitea.log'), 'utf8').catch(() => 'no log');
          throw new Error(`Gitea did not start:\n${log.slice(-2000)}`);
        }
      }
    },
    async kill() {
      process.off('exit', end);
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function configuration(dir: string, port: number): string {
  return `APP_NAME = forge
RUN_MODE = prod
RUN_USER = ${userInfo().username}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = ${dir}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = http://127.0.0.1:${port}/
STATIC_ROOT_PATH = ${join(SERVER, 'static')}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = ${join(dir, 'gitea.db')}
[repository]
ROOT = ${join(dir, 'repos')}
[security]
INSTALL_LOCK = true
SECRET_KEY = test-only
PASSWORD_HASH_ALGO = pbkdf2_v1
INTERNAL_TOKEN = ${randomBytes(32).toString('hex')}
[oauth2]
JWT_SECRET = ${randomBytes(32).toString('base64url')}
[service]
DISABLE_REGISTRATION = true
[api]
MAX_RESPONSE_ITEMS = ${PAGE}
[webhook]
ALLOWED_HOST_LIST = loopback
[actions]
ENABLED = false
[packages]
ENABLED = false
[indexer]
ISSUE_INDEXER_TYPE = db
[cron.update_checker]
ENABLED = false
[log]
MODE = file
ROOT_PATH = ${join(dir, 'log')}
LEVEL = Info
`;
}
