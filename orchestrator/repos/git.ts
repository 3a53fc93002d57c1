// The one way to run git: a minimal environment, nothing of the user's configuration but for talking to a remote,
// bounded output, and errors in git's own words. Used by all of repos/.
import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { ErrorCode } from '../../protocol/errors.ts';

export interface GitEnvironment {
  path: string; // PATH
  home: string; // the user's own ssh and credential settings are below it
  sshAuthSock?: string | undefined;
  xdgConfigHome?: string | undefined;
  configDir: string; // a directory for the configuration files written here
  /** The HTTP header that opens an address, where the user's own configuration does not. */
  credentials?: (address: string) => Promise<{ url: string; header: string } | undefined>;
}

export interface GitOptions {
  cwd?: string;
  gitDir?: string;
  input?: string | Uint8Array;
  /** Talks to another repository: with the user's own configuration, trusting these directories whoever owns them. */
  remote?: { trusted: string[]; address?: string };
  /** Runs as another user (only root can). */
  as?: { uid: number; gid: number } | undefined;
  env?: Record<string, string>;
  /** Waits for a file's lock, which lasts as long as git lives even when this process dies; `script` ends with `exec git "$@"`. */
  underLock?: { file: string; script: string };
  signal?: AbortSignal | undefined;
  timeoutMs?: number; // 0: no limit
  maxBytes?: number; // of standard output
  /** Called with git's progress, a line each. */
  onProgress?: ((line: string) => void) | undefined;
  /** Exit codes that are an answer, not a failure. */
  accept?: number[];
  /** Code of the error when git fails, and what was being done. */
  code?: ErrorCode;
  doing?: string;
}

export interface GitResult {
  exitCode: number;
  stdout: Buffer;
  stderr: string;
  truncated: boolean;
}

export interface Git {
  run(args: string[], options?: GitOptions): Promise<GitResult>;
  /** Standard output as text, without white space at its ends. */
  text(args: string[], options?: GitOptions): Promise<string>;
  /** The environment git runs in, for the one who spawns it himself. */
  environment(config: Record<string, string>): Record<string, string>;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const DEFAULT_MAX_BYTES = 64 << 20;
const STDERR_MAX_BYTES = 16 << 20;

// These lead over every file. They reach git itself and not the other side of a local fetch or push,
// so that the hooks of the user's own repository run as he set them up.
const ALWAYS = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.askPass': '',
  'core.quotePath': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'submodule.recurse': 'false',
  'push.recurseSubmodules': 'no',
  'push.gpgSign': 'false',
};

/** Makes the functions that run git in the given environment. */
export function createGit(environment: GitEnvironment): Git {
  const local = (config: Record<string, string>) => ({
    PATH: environment.path,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    ...configEnvironment({ ...ALWAYS, ...config }),
  });

  const run = async (args: string[], options: GitOptions = {}): Promise<GitResult> => {
    const env: Record<string, string> = { ...local({}), ...options.env };
    if (options.gitDir !== undefined) env.GIT_DIR = options.gitDir;
    if (options.remote !== undefined && options.as === undefined) {
      env.HOME = environment.home;
      env.GIT_CONFIG_GLOBAL = await remoteConfig(environment, options.remote.trusted);
      if (environment.sshAuthSock !== undefined) env.SSH_AUTH_SOCK = environment.sshAuthSock;
      if (environment.xdgConfigHome !== undefined) env.XDG_CONFIG_HOME = environment.xdgConfigHome;
      Object.assign(env, await authorization(environment, options.remote.address));
    }
    const result = await spawnGit(args, options, env);
    if (result.truncated || result.exitCode === 0 || options.accept?.includes(result.exitCode)) return result;
    throw gitError(options.doing ?? `git ${args[0]}`, result, options.code);
  };
  return {
    run,
    text: async (args, options) => (await run(args, options)).stdout.toString().trim(),
    environment: local,
  };
}

// killDescendants gives git a process group and session of its own: no terminal that ssh could ask a password on,
// and an abort reaches the helpers too.
async function spawnGit(
  args: string[],
  options: GitOptions,
  env: Record<string, string>,
): Promise<GitResult> {
  const { execa } = await import('execa'); // loaded with the first command: it is large
  const { underLock, signal } = options;
  const [program, leading] =
    underLock === undefined
      ? ['git', []]
      : ['flock', ['-x', underLock.file, 'sh', '-c', underLock.script, 'sh']];
  const child = execa(program, [...leading, ...args], {
    env,
    extendEnv: false,
    encoding: 'buffer',
    reject: false,
    stripFinalNewline: false,
    killDescendants: true,
    forceKillAfterDelay: 2000,
    timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    maxBuffer: { stdout: options.maxBytes ?? DEFAULT_MAX_BYTES, stderr: STDERR_MAX_BYTES },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...options.as,
  });
  if (options.onProgress !== undefined) reportProgress(child.stderr, options.onProgress);
  const result = await child;
  signal?.throwIfAborted();
  const stderr = Buffer.from(result.stderr ?? []).toString();
  const stdout = Buffer.from(result.stdout ?? []);
  if (result.isMaxBuffer) return { exitCode: 0, stdout, stderr, truncated: true };
  if (result.exitCode !== undefined) return { exitCode: result.exitCode, stdout, stderr, truncated: false };
  throw notRun(args, result, options.code);
}

// git was not started, ran into its time limit or was killed.
function notRun(
  args: string[],
  result: { timedOut: boolean; code?: string | undefined; signal?: string | undefined; cause?: unknown },
  code: ErrorCode = 'ERR_INTERNAL',
): AutocodeError {
  if (result.code === 'ENOENT') {
    return new AutocodeError('ERR_INTERNAL', 'git or flock could not be started: not found.', {
      remedy: 'Install them (`apt install git util-linux`), and check the folder it was to run in.',
      cause: result.cause,
    });
  }
  const how = result.timedOut
    ? 'took too long and was stopped'
    : `ended by ${result.signal ?? result.code ?? 'a signal'}`;
  return new AutocodeError(code, `git ${args[0]} ${how}.`, { cause: result.cause });
}

function reportProgress(stream: NodeJS.ReadableStream | null, onProgress: (line: string) => void): void {
  let rest = '';
  stream?.on('data', (bytes: Buffer) => {
    const lines = (rest + bytes.toString()).split(/[\r\n]/);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') onProgress(line.trim());
  });
}

/** The error for a git command that failed: what was being done, and git's own last words. */
export function gitError(doing: string, result: GitResult, code: ErrorCode = 'ERR_INTERNAL'): AutocodeError {
  if (/No space left on device|Disk quota exceeded/.test(result.stderr)) {
    return new AutocodeError('ERR_DISK_FULL', `${doing}: the disk is full.`, {
      remedy: 'Make room and try again.',
    });
  }
  return new AutocodeError(code, `${doing}: ${lastWords(result.stderr) || `exit code ${result.exitCode}`}`, {
    details: { exitCode: result.exitCode, stderr: maskCredentials(result.stderr).slice(-4000) },
  });
}

// Lines that follow the one that says what is wrong.
const EMPTY_WORDS =
  /^hint:|Could not read from remote repository|remote end hung up|Please make sure you have the correct|and the repository exists|failed to push some refs/;

/** The line of git's messages that says why it failed. */
export function lastWords(stderr: string): string {
  const lines = maskCredentials(stderr)
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !EMPTY_WORDS.test(line));
  const telling =
    lines.findLast((line) => line.startsWith('fatal:')) ??
    lines.findLast((line) => line.startsWith('error:'));
  return (telling ?? lines.at(-1) ?? '').replace(/^(fatal|error|remote): /, '').slice(0, 500);
}

/** Hides a password or token inside a URL. */
export function maskCredentials(text: string): string {
  return text.replace(/(\w+:\/\/)[^\s/@]*:[^\s/@]*@/g, '$1***@');
}

// A remote is reached with the user's own credentials: his configuration is included. A local one may belong to
// somebody else; git then wants it named in a file, since its other side drops what comes by the environment.
async function remoteConfig(
  { home, xdgConfigHome, configDir }: GitEnvironment,
  trusted: string[],
): Promise<string> {
  const included = [join(xdgConfigHome ?? join(home, '.config'), 'git/config'), join(home, '.gitconfig')];
  const text = [
    '[include]',
    ...included.map((path) => `\tpath = ${quoted(path)}`),
    '[safe]',
    ...trusted.map((path) => `\tdirectory = ${quoted(path)}`),
    '',
  ].join('\n');
  const name = `gitconfig-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
  const path = join(configDir, name);
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
  return path;
}

// A token goes by the environment alone: not by arguments, which all can read, nor by a file.
async function authorization(
  { credentials }: GitEnvironment,
  address: string | undefined,
): Promise<Record<string, string>> {
  const found = address === undefined ? undefined : await credentials?.(address);
  if (found === undefined) return {};
  return configEnvironment({ ...ALWAYS, [`http.${found.url}.extraHeader`]: found.header });
}

function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

function configEnvironment(config: Record<string, string>): Record<string, string> {
  const entries = Object.entries(config);
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(entries.length)],
    ...entries.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]);
}
