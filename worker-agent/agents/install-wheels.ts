// Installs Python packages from a lock with hashes into an agent's directory: `site/` with the packages, `python` a link to the
// interpreter that they are for. Without a virtual environment, which would hold its own path. Used by install.ts.
import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AutocodeError } from '../../protocol/errors.ts';
import { runInstaller } from './installer-program.ts';

/** Where a sandbox sees an interpreter too. The locks hold the wheels for these versions. */
const INTERPRETERS = ['python3', 'python3.12', 'python3.11', 'python3.10'].flatMap((name) => [
  `/usr/bin/${name}`,
  `/usr/local/bin/${name}`,
]);
const LOCKED_FOR = ['3.10', '3.11', '3.12'];

const PIP = ['-I', '-m', 'pip', '--disable-pip-version-check', '--no-input'];
/** Exactly what is locked, and nothing that runs a program to be built. */
const FLAGS = ['--require-hashes', '--only-binary', ':all:', '--progress-bar', 'off'];
const ASK_VERSION = 'import sys; sys.path.insert(0, sys.argv[1]); import aider; print(aider.__version__)';

const run = promisify(execFile);

/** Installs the requirements.txt of the directory; answers the version of aider that can be imported then. */
export async function installWheels(
  directory: string,
  wanted: string | undefined,
  progress: (text: string) => void,
): Promise<string> {
  const python = await findInterpreter(wanted === undefined ? INTERPRETERS : [wanted]);
  await runInstaller(
    'pip',
    [python, ...PIP, 'install', ...FLAGS, '--target', 'site', '--requirement', 'requirements.txt'],
    directory,
    progress,
  );
  await symlink(python, join(directory, 'python'));
  const { stdout } = await run(python, ['-I', '-c', ASK_VERSION, 'site'], { cwd: directory });
  return stdout.trim();
}

async function findInterpreter(interpreters: string[]): Promise<string> {
  const found: string[] = [];
  for (const python of interpreters) {
    const version = await answer(python, ['-I', '-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
    if (version === null) continue;
    const usable = LOCKED_FOR.includes(version);
    if (usable && (await answer(python, [...PIP, '--version'])) !== null) return python;
    found.push(`${python} is ${version}${usable ? ', without pip' : ''}`);
  }
  throw new AutocodeError(
    'ERR_AGENT_MISSING',
    `aider needs Python ${LOCKED_FOR.join(', ')} with pip where the sandbox sees it, in /usr/bin or /usr/local/bin: ${found.join('; ') || 'there is none'}.`,
    { remedy: 'Install them (apt install python3 python3-pip), and try again.' },
  );
}

/** What a program prints, or null when it is not there or fails. */
async function answer(program: string, args: string[]): Promise<string | null> {
  try {
    return (await run(program, args, { timeout: 60_000 })).stdout.trim();
  } catch {
    return null;
  }
}
