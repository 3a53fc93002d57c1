// Installs an agent from its committed lock, as a whole or not at all. Used by cli.ts; works offline afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { type Lock, tryLock, waitForLock } from '../lock.ts';
import {
  AGENTS,
  type AgentEntry,
  type AgentName,
  installationOf,
  knownAgent,
  LOCKED_AGENTS,
  type LockedAgent,
} from './catalogue.ts';
import { installWheels } from './install-wheels.ts';
import { agentDirectory, bringIt, isInstalled, STAMP_FILE } from './installed.ts';
import { runInstaller } from './installer-program.ts';
import { type ProfileName, PROFILES } from './profiles/all.ts';

export interface InstallOptions {
  toolDir: string;
  /** How npm is called, as `['npm']` or `[node, '…/npm-cli.js']`. */
  npm: string[];
  /** The one Python to take; that of the system when left out, which a sandbox sees. */
  python?: string;
  progress(text: string): void;
}

/** How long a program may take to say its version. */
const ANSWER_MS = 60_000;
/** How npm and pip say that there is no way to the registry. */
const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|\bnetwork\b|NewConnectionError|No matching distribution/i;
const LOCKS = join(import.meta.dirname, 'locks');
/** Registries must not end up in what is installed, install scripts must not run. */
const NPM_FLAGS = [
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--loglevel=http',
  '--omit-lockfile-registry-resolved',
];

/** Installs the pinned version unless it is there; answers where it is. */
export async function installAgent(
  name: string,
  options: InstallOptions,
): Promise<{ directory: string; installed: boolean }> {
  const { toolDir, progress } = options;
  const known = lockedAgent(knownAgent(name), toolDir);
  const directory = agentDirectory(known, toolDir);
  if (await isInstalled(known, toolDir)) return { directory, installed: false };
  let lock: Lock | undefined;
  try {
    await mkdir(toolDir, { recursive: true });
    lock = await onlyInstall(toolDir, known, progress);
    if (await isInstalled(known, toolDir)) return { directory, installed: false };
    await replace(directory, known, options);
    return { directory, installed: true };
  } catch (error) {
    throw explain(error, known, toolDir);
  } finally {
    await lock?.release();
  }
}

/** The agent whose lock is installed for the one that is named. */
function lockedAgent(name: AgentName, toolDir: string): LockedAgent {
  const { title, install }: AgentEntry = AGENTS[name];
  const locked = LOCKED_AGENTS.find((each) => each === installationOf(name));
  if (locked !== undefined) return locked;
  if (install === null)
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `The agent \`${name}\` has nothing to install: its program is yours.`,
    );
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `${title} cannot be installed by Autocode: it is in no package registry.`,
    { remedy: bringIt(name, toolDir) },
  );
}

/** Fills a new directory and renames it into place; what others or we left half done goes. */
async function replace(directory: string, name: LockedAgent, options: InstallOptions): Promise<void> {
  const { toolDir } = options;
  await removeLeftovers(toolDir, name);
  const fresh = await mkdtemp(join(toolDir, `.new-${name}-`));
  try {
    await fill(fresh, name, options);
    await rename(directory, `${fresh}.old`).catch(() => {}); // One without a whole stamp.
    await rename(fresh, directory);
  } finally {
    await removeLeftovers(toolDir, name);
  }
}

async function fill(directory: string, name: LockedAgent, options: InstallOptions): Promise<void> {
  const { npm, python, progress } = options;
  await chmod(directory, 0o755);
  await cp(join(LOCKS, name), directory, { recursive: true });
  progress(`downloading ${AGENTS[name].title} ${AGENTS[name].version}`);
  const version =
    name === 'aider'
      ? await installWheels(directory, python, progress)
      : await installPackages(directory, name, npm, progress);
  if (version !== AGENTS[name].version) {
    throw new AutocodeError(
      'ERR_AGENT_FAILED',
      `${AGENTS[name].title} was installed, but says to be version ${version}.`,
    );
  }
  await writeFile(
    join(directory, STAMP_FILE),
    JSON.stringify({ name, version, installedAt: new Date().toISOString() }),
  );
}

/** The packages of the lock in the directory; answers the version of the program that they bring. */
async function installPackages(
  directory: string,
  name: ProfileName,
  npm: string[],
  progress: (text: string) => void,
): Promise<string> {
  await runInstaller('npm', [...npm, 'ci', ...NPM_FLAGS], directory, progress);
  for (const program of PROFILES[name].programs) await chmod(join(directory, program), 0o755);
  return await askVersion(name, directory);
}

/** The version that the program in an install directory says it is. */
export async function askVersion(name: ProfileName, directory: string): Promise<string> {
  const { binary, versionQuery } = PROFILES[name];
  const program = join(directory, binary);
  const argv = binary.endsWith('.js') ? [process.execPath, program] : [program];
  // A program must not leave settings in, or read them from, the home of whoever installs it.
  const home = await mkdtemp(join(tmpdir(), 'autocode-home-'));
  try {
    return await firstVersion([...argv, ...versionQuery.args], versionQuery.input, { HOME: home });
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The first version number that a program prints. It need not end by itself: one that speaks a protocol waits for more. */
async function firstVersion(argv: string[], input: string, env: Record<string, string>): Promise<string> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'ignore'], timeout: ANSWER_MS });
  const closed = once(child, 'close');
  closed.catch(() => {}); // looked at below
  child.stdin.on('error', () => {}); // it may end before it reads
  child.stdin.write(input);
  let printed = '';
  try {
    for await (const chunk of child.stdout) {
      printed += String(chunk);
      const [version] = /\d+\.\d+\.\d+[-+.\w]*/.exec(printed) ?? [];
      // A number at the very end may go on.
      if (version !== undefined && !printed.endsWith(version)) return version;
    }
  } finally {
    child.kill('SIGKILL');
    await closed;
  }
  return printed.trim();
}

/** One install of an agent at a time in a tool directory. */
async function onlyInstall(
  toolDir: string,
  name: LockedAgent,
  progress: (text: string) => void,
): Promise<Lock> {
  const purpose = `install-${name}`;
  const lock = await tryLock(toolDir, purpose);
  if (lock) return lock;
  progress('waiting for another install to end');
  return await waitForLock(toolDir, purpose, new AbortController().signal);
}

/** What interrupted installs left; only the owner of the lock may look. */
async function removeLeftovers(toolDir: string, name: string): Promise<void> {
  const left = (await readdir(toolDir)).filter((entry) => entry.startsWith(`.new-${name}-`));
  for (const entry of left) {
    // The npm of an install that was killed may still write into it: then the next one removes it.
    await rm(join(toolDir, entry), { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

function explain(error: unknown, name: LockedAgent, toolDir: string): AutocodeError {
  if (error instanceof AutocodeError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const what = `${AGENTS[name].title} could not be installed in ${toolDir}`;
  if (/ENOSPC|no space left/i.test(text)) {
    const remedy = 'Make 1 GB free there and try again.';
    return new AutocodeError('ERR_DISK_FULL', `${what}: the disk is full.`, { remedy, cause: error });
  }
  return new AutocodeError('ERR_AGENT_MISSING', `${what}: ${text}`, {
    remedy: remedyFor(text, name, toolDir),
    cause: error,
  });
}

function remedyFor(text: string, name: LockedAgent, toolDir: string): string {
  if (/EACCES|EPERM|EROFS/.test(text)) return `Make ${toolDir} writable for this user, or choose another.`;
  if (UNREACHABLE.test(text)) {
    const setting = AGENTS[name].install === 'pip' ? 'PIP_INDEX_URL' : 'npm_config_registry';
    return `The package registry cannot be reached: check the network, or set ${setting} or https_proxy, and try again.`;
  }
  return `Try \`autocode agent install ${name}\` again.`;
}

/** The npm that came with the checkout's own Node.js, else the one on the PATH. */
export function findNpm(): string[] {
  const own = join(import.meta.dirname, '../../.runtime/node/node_modules/npm/bin/npm-cli.js');
  return existsSync(own) ? [process.execPath, own] : ['npm'];
}
