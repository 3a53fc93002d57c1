// Isolation `bubblewrap`, the default: every program runs in namespaces of its own, without a network but for the way to the
// model gateway, without the host's files, rights or environment. One bwrap a program; the programs of a sandbox share work
// tree, HOME and control group. If any part of it cannot be set up, nothing runs.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { MARK_NAME } from '../run-processes.ts';
import { borrowObjects } from '../workspace/checkout.ts';
import { startConfined } from './bubblewrap-process.ts';
import type { BubblewrapHost } from './bubblewrap-host.ts';
import { groupName, openCgroup, type Limits } from './cgroup.ts';
import { GATEWAY_PORT, INSIDE, layoutArguments } from './layout.ts';
import type { Sandbox, SandboxProcess } from './sandbox.ts';

/** A directory of objects, and the folder in the tree of the repository that borrows them. */
export interface Lender {
  objects: string;
  folder: string;
}

export interface BubblewrapOptions {
  run: string;
  /** Tells the sandboxes of a run apart. */
  name: string;
  runDirectory: string;
  tree: string;
  home: string;
  /** Object directories that the repositories in the tree borrow from. */
  lenders: Lender[];
  toolDir: string;
  toolchains: string[];
  gatewaySocket: string;
  limits: Limits;
  mark: string;
}

const SOCAT = '/usr/bin/socat';
const PATH_INSIDE = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const MEGABYTE = 1024 * 1024;

/** Opens a sandbox over a work tree that exists; HOME is made. */
export async function openBubblewrapSandbox(
  host: BubblewrapHost,
  options: BubblewrapOptions,
): Promise<Sandbox> {
  const { run, name, runDirectory, tree, home, lenders, limits, toolchains, mark } = options;
  const objects = lenders.map((lender) => lender.objects);
  await mkdir(home, { recursive: true, mode: 0o700 });
  for (const folder of new Set(lenders.map((lender) => lender.folder))) {
    const inside = lenders.flatMap((lender, index) =>
      lender.folder === folder ? [INSIDE.objects(index)] : [],
    );
    await borrowObjects(path.join(tree, folder, '.git'), inside);
  }
  await host.identity.give(tree, home, options.gatewaySocket);
  for (const directory of [options.toolDir, ...objects]) await host.identity.show(directory);
  const cgroup = await openCgroup({
    name: groupName(runDirectory, name),
    limits,
    runDirectory,
    parents: host.cgroups,
  });
  const inside = { ...options, objects, tmpMb: Math.ceil(limits.memoryMb / 2), identity: host.identity };
  const layout = layoutArguments({ ...inside, gatewaySocket: null });
  const layoutWithGateway = layoutArguments(inside);
  const relay = relayCommand();
  const environment = {
    PATH: [
      ...toolchains.map((directory) => path.join(directory, 'bin')),
      PATH_INSIDE,
      path.dirname(INSIDE.node),
    ].join(':'),
    HOME: INSIDE.home,
    USER: 'agent',
    SHELL: '/bin/sh',
    TMPDIR: INSIDE.tmp,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    AUTOCODE_RUN: run,
    [MARK_NAME]: mark,
  };
  const confinement = {
    bwrap: host.bwrap,
    filter: host.filter,
    joinFiles: cgroup?.joinFiles ?? [],
    prefix: [...host.identity.prefix, ...(cgroup === null ? brake(limits) : [])],
  };
  const running = new Set<SandboxProcess>();

  const killAll = async () => {
    for (const each of running) each.kill('SIGKILL');
    await cgroup?.kill();
    await Promise.all([...running].map(async (each) => await each.exited));
  };
  return {
    kind: 'bubblewrap',
    workspace: INSIDE.workspace,
    home: INSIDE.home,
    gatewayUrl: `http://127.0.0.1:${GATEWAY_PORT}`,
    toolDir: INSIDE.tools,
    node: INSIDE.node,
    notices: cgroup === null ? [UNLIMITED] : [],
    spawn(argv, { cwd = INSIDE.workspace, env = {}, stdin = 'ignore', gateway = false }) {
      const variables = Object.entries({ ...environment, ...env }).flatMap(([key, value]) => [
        '--setenv',
        key,
        value,
      ]);
      const settings = [...(gateway ? layoutWithGateway : layout), ...variables];
      const child = startConfined(confinement, { argv, cwd, stdin, settings, relay: gateway ? relay : null });
      running.add(child);
      void child.exited.then(() => running.delete(child));
      return child;
    },
    killAll,
    async close() {
      await killAll();
      await cgroup?.remove();
    },
  };
}

const UNLIMITED =
  'No control group can be made here: memory is limited for each process instead of for the run, and the processors are not. ' +
  'Run the worker as root or in a delegated group (`Delegate=yes` and `DelegateSubgroup=worker` in its unit).';

// What is left without a control group: numbers for each process, and for the processes of this user in their namespace.
function brake({ memoryMb, pids }: Limits): string[] {
  return ['/usr/bin/prlimit', `--nproc=${pids}`, `--data=${memoryMb * MEGABYTE}`, '--'];
}

function relayCommand(): string {
  if (!existsSync(SOCAT)) return `${INSIDE.node} ${INSIDE.relay} ${GATEWAY_PORT} ${INSIDE.gatewaySocket}`;
  return `${SOCAT} -t60 TCP-LISTEN:${GATEWAY_PORT},bind=127.0.0.1,fork,reuseaddr,backlog=64 UNIX-CONNECT:${INSIDE.gatewaySocket}`;
}
