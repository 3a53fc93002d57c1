// A sandbox that confines: work tree, HOME, limits and the way to the model gateway are the same however its programs are walled
// in, by bubblewrap (the default) or as containers. If any part of it cannot be set up, nothing runs. Used by the runner.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { MARK_NAME } from '../run-processes.ts';
import { borrowObjects } from '../workspace/checkout.ts';
import { bubblewrapHost, type BubblewrapHost } from './bubblewrap-host.ts';
import { bubblewrapStarter } from './bubblewrap.ts';
import { hostPrograms, variablesOf, type EnvironmentRoot } from './environment-root.ts';
import { groupName, openCgroup, type Limits } from './cgroup.ts';
import { containerHost, type ContainerHost } from './container-host.ts';
import { containerStarter } from './container.ts';
import { INSIDE, type Layout } from './layout.ts';
import type { Sandbox, SandboxProcess } from './sandbox.ts';
import { EGRESS_VARIABLES, GATEWAY_PORT, relayLines, type Ways } from './ways.ts';

/** What this machine offers for one of them. */
export type ConfinedHost = BubblewrapHost | ContainerHost;

/** Isolations that confine; the first is the usual one. */
export const CONFINED = ['bubblewrap', 'container', 'gvisor'] as const satisfies ConfinedHost['kind'][];

/** Whether a word names one of them. */
export function isConfined(isolation: string): isolation is ConfinedHost['kind'] {
  return CONFINED.some((each) => each === isolation);
}

/** Starts a program. Never throws; what cannot be set up or started exits with a code and a line on stderr. */
export type Starter = (program: ConfinedProgram) => SandboxProcess;

export interface ConfinedProgram {
  argv: string[];
  cwd: string;
  /** All that it has of an environment. */
  environment: Record<string, string>;
  stdin: 'pipe' | 'ignore';
  ways: Ways;
  /** What listens inside for these ways: lines of ways.ts. */
  relays: string;
}

/** A directory of objects, and the folder in the tree of the repository that borrows them. */
export interface Lender {
  objects: string;
  folder: string;
}

export interface ConfinedOptions {
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
  /** Null: the host's programs. */
  environment: EnvironmentRoot | null;
  gatewaySocket: string;
  /** Null: no way out but to the gateway. `placeholders` stand for secrets on it, by variable. */
  egress: (NonNullable<Layout['egress']> & { placeholders?: Record<string, string> }) | null;
  limits: Limits;
  mark: string;
}

const PATH_INSIDE = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** ERR_SANDBOX, with what to do, when there can be no such sandbox here. */
export async function confinedHost(kind: ConfinedHost['kind'], searchPath: string): Promise<ConfinedHost> {
  return kind === 'bubblewrap' ? await bubblewrapHost(searchPath) : await containerHost(kind, searchPath);
}

/** Opens a sandbox over a work tree that exists; HOME is made. */
export async function openConfinedSandbox(host: ConfinedHost, options: ConfinedOptions): Promise<Sandbox> {
  const { run, name, runDirectory, tree, home, lenders, limits, mark } = options;
  const objects = lenders.map((lender) => lender.objects);
  await mkdir(home, { recursive: true, mode: 0o700 });
  for (const folder of new Set(lenders.map((lender) => lender.folder))) {
    const inside = lenders.flatMap((lender, index) =>
      lender.folder === folder ? [INSIDE.objects(index)] : [],
    );
    await borrowObjects(path.join(tree, folder, '.git'), inside);
  }
  await host.identity.give(
    tree,
    home,
    options.gatewaySocket,
    ...(options.egress === null ? [] : [options.egress.socket]),
  );
  for (const directory of [options.toolDir, ...objects]) await host.identity.show(directory);
  const cgroup = await openCgroup({
    name: groupName(runDirectory, name),
    limits: host.kind === 'bubblewrap' ? limits : host.runtime.limits(limits),
    runDirectory,
    parents: host.cgroups,
  });
  const environment =
    options.environment === null ? null : { root: options.environment, host: await hostPrograms() };
  const hostProgram = (program: string) => environment?.host.argv(program) ?? [program];
  const layout = { ...options, environment, objects, tmpMb: Math.ceil(limits.memoryMb / 2) };
  const joinFiles = cgroup?.joinFiles ?? [];
  const directory = path.join(runDirectory, `${name}.containers`);
  let start: Starter;
  try {
    start =
      host.kind === 'bubblewrap'
        ? bubblewrapStarter(host, { layout, joinFiles, limits, hostProgram })
        : await containerStarter(host, { layout, directory, joinFiles, limits });
  } catch (error) {
    await cgroup?.remove();
    throw error;
  }
  const variables = {
    PATH: searchPath(options),
    HOME: INSIDE.home,
    USER: 'agent',
    SHELL: '/bin/sh',
    TMPDIR: INSIDE.tmp,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    AUTOCODE_RUN: run,
    [MARK_NAME]: mark,
    ...(environment === null ? {} : variablesOf(environment.root)),
  };
  const running = new Set<SandboxProcess>();

  const killAll = async () => {
    for (const each of running) each.kill('SIGKILL');
    await cgroup?.kill();
    await Promise.all([...running].map(async (each) => await each.exited));
  };
  return {
    kind: host.kind,
    workspace: INSIDE.workspace,
    home: INSIDE.home,
    gatewayUrl: `http://127.0.0.1:${GATEWAY_PORT}`,
    toolDir: INSIDE.tools,
    node: INSIDE.node,
    hostProgram,
    notices: cgroup === null ? [UNLIMITED] : [],
    spawn(argv, { cwd = INSIDE.workspace, env = {}, stdin = 'ignore', gateway = false, egress = false }) {
      const ways = { gateway, egress: egress && options.egress !== null };
      const child = start({
        argv,
        cwd,
        environment: {
          ...(ways.egress ? options.egress?.placeholders : {}), // no name of these goes before one of its own
          ...variables,
          ...(ways.egress ? EGRESS_VARIABLES : {}),
          ...env,
        },
        stdin,
        ways,
        relays: relayLines(ways, hostProgram),
      });
      running.add(child);
      void child.exited.then(() => running.delete(child));
      return child;
    },
    used: cgroup?.used ?? null,
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

function searchPath({ environment, toolchains }: ConfinedOptions): string {
  const own =
    environment === null
      ? toolchains.map((directory) => path.join(directory, 'bin'))
      : (environment.variables.PATH ?? '').split(':').filter((each) => each.startsWith('/'));
  return [...new Set([...own, ...PATH_INSIDE.split(':'), path.dirname(INSIDE.node)])].join(':');
}
