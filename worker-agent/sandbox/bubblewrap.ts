// Isolation `bubblewrap`, the default: every program runs in namespaces of its own, without a network but for the way to the
// model gateway, without the host's files, rights or environment. One bwrap a program; the programs of a sandbox share work
// tree, HOME and control group. Used by confined.ts.
import type { BubblewrapHost } from './bubblewrap-host.ts';
import { layoutArguments } from './bubblewrap-arguments.ts';
import { startConfined } from './bubblewrap-process.ts';
import type { Limits } from './cgroup.ts';
import type { Starter } from './confined.ts';
import type { Layout } from './layout.ts';
import { layoutFor } from './ways.ts';

export interface BubblewrapOptions {
  layout: Layout;
  /** Empty where there is no control group. */
  joinFiles: string[];
  limits: Limits;
  /** How a program of the host is started inside. */
  hostProgram(program: string): string[];
}

const MEGABYTE = 1024 * 1024;

/** How programs are started in this sandbox. */
export function bubblewrapStarter(
  host: BubblewrapHost,
  { layout, joinFiles, limits, hostProgram }: BubblewrapOptions,
): Starter {
  const { bwrap, filter, identity } = host;
  const first = (argv: string[]) => [...argv.slice(0, 1).flatMap(hostProgram), ...argv.slice(1)];
  const prefix = [...first(identity.prefix), ...(joinFiles.length === 0 ? first(brake(limits)) : [])];
  return ({ argv, cwd, environment, stdin, ways, relays }) => {
    const variables = Object.entries(environment).flatMap((each) => ['--setenv', ...each]);
    const settings = [...layoutArguments(layoutFor(layout, ways), identity), ...variables];
    return startConfined({ bwrap, filter, joinFiles, prefix }, { argv, cwd, stdin, settings, relays });
  };
}

// What is left without a control group: numbers for each process, and for the processes of this user in their namespace.
function brake({ memoryMb, pids }: Limits): string[] {
  return ['/usr/bin/prlimit', `--nproc=${pids}`, `--data=${memoryMb * MEGABYTE}`, '--'];
}
