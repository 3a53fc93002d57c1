// Who the processes in a sandbox are to the kernel: nobody. Under root, a user id that owns nothing, taken on by setpriv inside;
// under any other user, an id in a user namespace. Root is not mapped into one: to the kernel it would still be root, who owns
// every file of /proc/sys. Used by bubblewrap-host.ts
// and container-host.ts.
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { promisify } from 'node:util';
import { AutocodeError } from '../../protocol/errors.ts';
import { withoutRights } from '../workspace/overlay.ts';
import { findProgram } from './find-program.ts';

export interface Identity {
  kind: 'user-namespace' | 'setpriv';
  /** For bwrap. */
  arguments: string[];
  /** Goes before the program inside. */
  prefix: string[];
  /** Makes trees of the host the processes' own. */
  give(...trees: string[]): Promise<void>;
  /** Lets the processes read a directory of the host; who may reach it outside is for its parents to say. */
  show(directory: string): Promise<void>;
}

/** In a range that no system gives to users, services or containers. As in etc/passwd. */
export const AGENT = 60999;

/** The owner of work trees, where it is another user than this process's. */
export const treeOwner = process.getuid?.() === 0 ? AGENT : null;

const REMEDY = 'Install bubblewrap 0.8 or newer: `apt install bubblewrap`.';
const NAMESPACE_REMEDY =
  'Allow user namespaces (`sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or `sysctl user.max_user_namespaces=15000`), or run the worker as root.';

const run = promisify(execFile);

const IN_NAMESPACE: Identity = {
  kind: 'user-namespace',
  arguments: ['--unshare-user', '--disable-userns', '--uid', String(AGENT), '--gid', String(AGENT)],
  prefix: [],
  give: async () => {},
  show: async () => {},
};

/** Under root. bwrap keeps three of its rights for setpriv, which gives them up for good before anything of the run starts. */
export const rootIdentity: Identity = {
  kind: 'setpriv',
  arguments: [
    '--cap-drop',
    'ALL',
    ...['SETUID', 'SETGID', 'SETPCAP'].flatMap((each) => ['--cap-add', `CAP_${each}`]),
  ],
  prefix: [
    '/usr/bin/setpriv',
    `--reuid=${AGENT}`,
    `--regid=${AGENT}`,
    '--clear-groups',
    '--inh-caps=-all',
    '--ambient-caps=-all',
    '--bounding-set=-all',
    '--no-new-privs',
    '--',
  ],
  async give(...trees) {
    // A work tree may come as the agent's: to change the owner of each file of an overlay would copy them all.
    const others = trees.filter((tree) => statSync(tree).uid !== treeOwner);
    if (others.length === 0) return;
    await run('chown', ['--recursive', '--no-dereference', `${AGENT}:${AGENT}`, '--', ...others]);
  },
  show: async (directory) => await chmod(directory, 0o755).catch(ignoreMissing),
};

/** Tries it in a bare sandbox. ERR_SANDBOX says what is missing: there is no way on without. */
export async function identityOf(bwrap: string): Promise<Identity> {
  const identity = process.getuid?.() === 0 ? rootIdentity : IN_NAMESPACE;
  const bare = ['--unshare-pid', '--unshare-net', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'];
  try {
    const [program, ...rest] = [...withoutRights, bwrap];
    await run(program, [...rest, ...identity.arguments, ...bare, ...identity.prefix, '/bin/true'], {
      env: {},
      timeout: 10_000,
    });
    return identity;
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    const words = stderr?.trim().split('\n').at(-1) || message;
    const old = /Unknown option/.test(words);
    throw unavailable(
      old ? `${bwrap} is too old: ${words}` : `No sandbox can be made here: ${words}`,
      old ? REMEDY : NAMESPACE_REMEDY,
      cause,
    );
  }
}

/** Where the program is, or ERR_SANDBOX. */
export async function findBubblewrap(searchPath: string): Promise<string> {
  const file = await findProgram('bwrap', searchPath);
  if (file !== null) return file;
  throw unavailable('bubblewrap is not installed, and without it there is no sandbox.', REMEDY);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function unavailable(message: string, remedy: string, cause?: unknown): AutocodeError {
  return new AutocodeError('ERR_SANDBOX', message, { remedy, ...(cause === undefined ? {} : { cause }) });
}
