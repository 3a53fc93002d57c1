// Work trees as overlays: a layer of the run's own over a cached checkout that it only reads. The mounts are made by the runner in
// a mount namespace of its own, which the kernel takes down with the last process of the run, however it ends: none is left.
// Used by work-tree.ts, the runner and the runner pool.
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from '../run-directory.ts';
import { command } from './command.ts';
import type { GitContext } from './git.ts';

/** Goes before a command that is to run in a mount namespace of its own and may mount there. */
export type Launch = string[];

/** The directories of one overlay, on one file system. */
export interface Layers {
  lower: string;
  upper: string;
  work: string;
}

const isRoot = process.getuid?.() === 0;

// What the host mounts and unmounts meanwhile is seen inside, and nothing the other way.
const PROPAGATION = ['--mount', '--propagation', 'slave'];
// The rights in its user namespace are what lets another user than root mount; `withoutRights` takes them from what is not ours.
const LAUNCH: Launch = [
  'unshare',
  ...(isRoot ? [] : ['--user', '--map-current-user', '--keep-caps']),
  ...PROPAGATION,
];

/** Goes before programs that a runner starts in a sandbox, so that they do not inherit its right to mount. */
export const withoutRights: string[] = isRoot
  ? []
  : ['setpriv', '--ambient-caps=-all', '--inh-caps=-all', '--'];

/** The same for a run without isolation: only root's, since in a user namespace its agent would not be quite the worker's user. */
export function launchUnconfined(launch: Launch): Launch {
  return isRoot ? launch : [];
}

/** How runners of this state directory are started so that they can mount overlays; `refused` tells why they cannot. */
export async function overlayLaunch(
  context: GitContext,
  stateDir: string,
): Promise<{ launch: Launch; refused: string | null }> {
  const parent = path.join(stateDir, 'cache');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const trial = await mkdtemp(path.join(parent, '.overlay-'));
  const [lower, upper, work, tree] = ['lower', 'upper', 'work', 'tree'].map((name) =>
    path.join(trial, name),
  ) as [string, string, string, string];
  try {
    for (const directory of [lower, upper, work, tree]) await mkdir(directory);
    await command(context, [...LAUNCH, ...mountCommand({ lower, upper, work }, tree)]);
    return { launch: LAUNCH, refused: null };
  } catch (error) {
    return { launch: [], refused: (error as Error).message };
  } finally {
    await removeTree(trial);
  }
}

/** Mounts an overlay at a directory that exists; upper and work directory are made. */
export async function mountOverlay(context: GitContext, layers: Layers, tree: string): Promise<void> {
  for (const directory of [layers.upper, layers.work]) await mkdir(directory, { mode: 0o700 });
  await command(context, mountCommand(layers, tree));
}

/** Unmounts what this process's namespace has mounted at a directory and below it. */
export async function unmountBelow(context: GitContext, directory: string): Promise<void> {
  for (const point of await mountsBelow(directory)) await command(context, ['umount', '--lazy', '--', point]);
}

/** Mount points at and below a directory, the innermost first. */
export async function mountsBelow(directory: string): Promise<string[]> {
  const points = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''));
  return points.filter((point) => point === directory || point.startsWith(`${directory}/`)).reverse();
}

// Root's overlays can follow a renamed directory; another user's cannot, and there renaming one of the checkout is refused with
// EXDEV, upon which `mv` copies.
function mountCommand({ lower, upper, work }: Layers, tree: string): string[] {
  const unfit = [lower, upper, work].find((each) => /[,:\\"]/.test(each));
  if (unfit !== undefined) throw new Error(`${unfit} has a character that a mount option cannot have`);
  const options = [
    `lowerdir=${lower}`,
    `upperdir=${upper}`,
    `workdir=${work}`,
    isRoot ? 'redirect_dir=on' : 'userxattr',
  ];
  return ['mount', '-t', 'overlay', 'overlay', '-o', options.join(','), '--', tree];
}

function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
