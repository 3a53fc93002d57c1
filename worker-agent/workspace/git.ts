// The one way the worker runs git: clean environment, nothing of the user's or the machine's configuration, no prompts, no hooks.
// Settings and credentials go by environment, never in argv. Used by cache, checkout and push.
import { spawn } from 'node:child_process';
import { AutocodeError } from '../../protocol/errors.ts';

export interface GitContext {
  /** PATH to find git in. */
  path: string;
  signal: AbortSignal;
}

export interface GitCall {
  cwd: string;
  gitDir?: string;
  workTree?: string;
  config?: Record<string, string>;
  env?: Record<string, string>;
  input?: string | Buffer;
}

const LONGEST_OUTPUT = 256 * 1024 * 1024;
const ERROR_BYTES = 16 * 1024;

// Nothing that is configured in a repository may start a program of its choice.
const ALWAYS = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  'core.untrackedCache': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.pager': 'cat',
  'protocol.ext.allow': 'never',
  'submodule.recurse': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'advice.detachedHead': 'false',
};

/** Runs git and answers with its output. Fails with git's own last words. */
export async function git(context: GitContext, args: string[], call: GitCall): Promise<Buffer> {
  context.signal.throwIfAborted();
  const child = spawn('git', args, {
    cwd: call.cwd,
    env: environment(context, call),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const abort = () => child.pid !== undefined && endGroup(child.pid);
  context.signal.addEventListener('abort', abort, { once: true });
  const output: Buffer[] = [];
  let bytes = 0;
  let errors = Buffer.alloc(0);
  child.stdout.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= LONGEST_OUTPUT) output.push(piece);
    else abort();
  });
  child.stderr.on(
    'data',
    (piece: Buffer) => (errors = Buffer.concat([errors, piece]).subarray(-ERROR_BYTES)),
  );
  child.stdin.on('error', () => {});
  child.stdin.end(call.input ?? '');
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (cause) =>
        reject(
          new AutocodeError('ERR_INTERNAL', `git cannot be started: ${cause.message}`, {
            remedy: 'Install git ≥ 2.38 on the worker.',
            cause,
          }),
        ),
      );
      child.once('close', resolve);
    });
    context.signal.throwIfAborted();
    if (code !== 0) throw failure(args, errors.toString().trim());
    return Buffer.concat(output);
  } finally {
    context.signal.removeEventListener('abort', abort);
  }
}

/** The output as one trimmed line. */
export async function gitLine(context: GitContext, args: string[], call: GitCall): Promise<string> {
  return (await git(context, args, call)).toString().trim();
}

function failure(args: string[], words: string): AutocodeError {
  const command = args.find((arg) => !arg.startsWith('-')) ?? '';
  const refusal = invalidPath(words) ?? refusedPush(words);
  if (refusal !== undefined) return refusal;
  const full = words.includes('No space left on device');
  return new AutocodeError(
    full ? 'ERR_DISK_FULL' : 'ERR_INTERNAL',
    `git ${command} failed: ${words.split('\n').slice(-3).join(' / ') || 'no words'}`,
    {
      ...(full ? { remedy: "Free space under the worker's state directory." } : {}),
      details: { stderr: words },
    },
  );
}

// A tree with such a name, git checks out nowhere.
function invalidPath(words: string): AutocodeError | undefined {
  const [, name] = /error: invalid path '(.*)'/.exec(words) ?? [];
  if (name === undefined) return undefined;
  return new AutocodeError(
    'ERR_INVALID_INPUT',
    `The repository has a file that git refuses to check out: ${JSON.stringify(name)}.`,
    {
      remedy:
        'Remove or rename it in the repository: on some systems it would be taken for the .git directory.',
      details: { stderr: words },
    },
  );
}

// The orchestrator checks every object of a push.
function refusedPush(words: string): AutocodeError | undefined {
  if (!words.includes('fsck error in packed object')) return undefined;
  const [, why = 'an object is malformed'] = /^remote: error: object \S+: (.*)$/m.exec(words) ?? [];
  return new AutocodeError(
    'ERR_AGENT_FAILED',
    `The result holds what git takes for an attack or for damage, and was not accepted: ${why.trim()}.`,
    {
      remedy: 'Mend or remove the file that it names; a submodule must have a plain path and URL.',
      details: { stderr: words },
    },
  );
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function environment(
  context: GitContext,
  { gitDir, workTree, config = {}, env = {} }: GitCall,
): Record<string, string> {
  const settings = Object.entries({ ...ALWAYS, ...config });
  return {
    PATH: context.path,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
    ...(gitDir === undefined ? {} : { GIT_DIR: gitDir }),
    ...(workTree === undefined ? {} : { GIT_WORK_TREE: workTree }),
    ...env,
  };
}
