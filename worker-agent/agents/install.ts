// Installs an agent from its committed lock, as a whole or not at all. Used by cli.ts; works offline afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AutocodeError } from '../../protocol/errors.ts';
import { type Lock, tryLock, waitForLock } from '../lock.ts';
import { AGENTS, knownAgent } from './catalogue.ts';
import { agentDirectory, isInstalled, STAMP_FILE } from './installed.ts';
import { type ProfileName, PROFILES } from './profiles/all.ts';

export interface InstallOptions {
  toolDir: string;
  /** How npm is called, as `['npm']` or `[node, '…/npm-cli.js']`. */
  npm: string[];
  progress(text: string): void;
}

/** How long a program may take to say its version. */
const ANSWER_MS = 60_000;
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
  const known = knownAgent(name);
  const { toolDir, progress } = options;
  if (known === 'command') {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `The agent \`${known}\` has nothing to install: its program is yours.`,
    );
  }
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

/** Fills a new directory and renames it into place; what others or we left half done goes. */
async function replace(directory: string, name: ProfileName, options: InstallOptions): Promise<void> {
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

async function fill(directory: string, name: ProfileName, { npm, progress }: InstallOptions): Promise<void> {
  await chmod(directory, 0o755);
  await cp(join(LOCKS, name), directory, { recursive: true });
  progress(`downloading ${AGENTS[name].title} ${AGENTS[name].version}`);
  await run([...npm, 'ci', ...NPM_FLAGS], directory, progress);
  for (const program of PROFILES[name].programs) await chmod(join(directory, program), 0o755);
  const version = await askVersion(name, directory);
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

/** Runs npm, each line of it given to `progress`; an error holds its last lines. */
async function run(
  [program = '', ...args]: string[],
  cwd: string,
  progress: (text: string) => void,
): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const last: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface(output).on('line', (line) => {
      progress(line);
      last.push(line);
      if (last.length > 12) last.shift();
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`npm ended with code ${code}:\n${last.join('\n')}`);
}

/** One install of an agent at a time in a tool directory. */
async function onlyInstall(
  toolDir: string,
  name: ProfileName,
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

function explain(error: unknown, name: ProfileName, toolDir: string): AutocodeError {
  if (error instanceof AutocodeError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const what = `${AGENTS[name].title} could not be installed in ${toolDir}`;
  if (/ENOSPC|no space left/i.test(text)) {
    const remedy = 'Make 500 MB free there and try again.';
    return new AutocodeError('ERR_DISK_FULL', `${what}: the disk is full.`, { remedy, cause: error });
  }
  return new AutocodeError('ERR_AGENT_MISSING', `${what}: ${text}`, {
    remedy: remedyFor(text, name, toolDir),
    cause: error,
  });
}

function remedyFor(text: string, name: ProfileName, toolDir: string): string {
  if (/EACCES|EPERM|EROFS/.test(text)) return `Make ${toolDir} writable for this user, or choose another.`;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network/i.test(text)) {
    return 'The package registry cannot be reached: check the network, or set npm_config_registry or https_proxy, and try again.';
  }
  return `Try \`autocode agent install ${name}\` again.`;
}

/** The npm that came with the checkout's own Node.js, else the one on the PATH. */
export function findNpm(): string[] {
  const own = join(import.meta.dirname, '../../.runtime/node/node_modules/npm/bin/npm-cli.js');
  return existsSync(own) ? [process.execPath, own] : ['npm'];
}
