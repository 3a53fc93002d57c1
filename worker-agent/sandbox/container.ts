// Isolations `container` and `gvisor`: what bubblewrap gives, by an OCI runtime (crun, runsc) and as root. One container a program,
// without an image: its root is a directory of mount points, its files are the host's as in every sandbox. Used by confined.ts.
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Limits } from './cgroup.ts';
import type { Starter } from './confined.ts';
import type { ContainerHost } from './container-host.ts';
import { notStarted } from './directory.ts';
import { layoutOf, type Layout } from './layout.ts';
import { ociConfig } from './oci-bundle.ts';
import { startContained } from './oci-process.ts';
import { makeRoot } from './oci-root.ts';
import { INIT } from './start-scripts.ts';
import { layoutFor } from './ways.ts';

export interface ContainerOptions {
  layout: Layout;
  /** A directory that is the sandbox's own; it is made. */
  directory: string;
  joinFiles: string[];
  limits: Limits;
}

/** How programs are started in this sandbox. */
export async function containerStarter(
  { runtime, command, seccomp }: ContainerHost,
  { layout, directory, joinFiles, limits }: ContainerOptions,
): Promise<Starter> {
  await rm(directory, { recursive: true, force: true });
  const root = path.join(directory, 'root');
  makeRoot(root, layoutOf(layout));

  const start: Starter = ({ argv, cwd, environment, stdin, ways, relays }) => {
    const id = randomUUID();
    const bundle = path.join(directory, id);
    mkdirSync(bundle, { mode: 0o700 });
    const config = ociConfig({
      root,
      entries: layoutOf(layoutFor(layout, ways)),
      mounts: runtime.mounts,
      processes: runtime.processes(limits),
      argv: ['/bin/sh', '-c', INIT, 'sh', stdin, relays, cwd, ...argv],
      environment,
      seccomp,
    });
    writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 });
    const words = [...command, '--root', path.join(bundle, 'state')];
    return startContained({ command: words, signals: runtime.signals, joinFiles, bundle, id, stdin });
  };
  return (program) => {
    try {
      return start(program);
    } catch (error) {
      return notStarted(program.argv[0] ?? '', error as Error); // as on a full disk
    }
  };
}
