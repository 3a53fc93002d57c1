// What this machine offers for isolation `container`, found once a process. Used by the runner, the claimer and the self-test.
import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { AutocodeError } from '../../protocol/errors.ts';
import { findProgram } from './find-program.ts';
import { cgroupParents, type CgroupParents } from './cgroup-parents.ts';
import { rootIdentity, type Identity } from './identity.ts';
import { systemPrograms, type Entry } from './layout.ts';
import { ociConfig } from './oci-bundle.ts';
import { makeRoot } from './oci-root.ts';
import { ociSeccomp } from './oci-seccomp.ts';
import { architectureOf } from './seccomp.ts';

export interface ContainerHost {
  kind: 'container';
  /** crun, and what goes before its verb. */
  crun: string[];
  identity: Pick<Identity, 'give' | 'show'>;
  seccomp: object;
  cgroups: CgroupParents;
}

const REMEDY = 'Install crun (`apt install crun`) and run the worker as root, or use isolation bubblewrap.';
// Version 1 with a part of version 2 beside it, where crun refuses to start: it is not to see that part. The sandbox's group is
// joined before crun begins, and is none of its business.
const WITHOUT_HYBRID = [
  'unshare',
  '--mount',
  '/bin/sh',
  '-c',
  '[ ! -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified || exit 125; exec "$@"',
  'sh',
];

const run = promisify(execFile);

/** ERR_SANDBOX, with what to do, when there can be no such sandbox here. `searchPath` is where crun is looked for. */
export async function containerHost(searchPath: string): Promise<ContainerHost> {
  if (process.getuid?.() !== 0)
    throw unavailable('A container needs a worker that runs as root, and this one does not.', REMEDY);
  const seccomp = ociSeccomp(architectureOf(os.machine()));
  const program = await findProgram('crun', searchPath);
  if (program === null)
    throw unavailable('crun is not installed, and without it there is no container.', REMEDY);
  const cgroups = await cgroupParents();
  if (cgroups === null)
    throw unavailable('No control group can be made here, so a container would have no limits.', REMEDY);
  const crun = [...(cgroups.version === 1 ? WITHOUT_HYBRID : []), program, '--cgroup-manager=disabled'];
  await tryBare(crun, seccomp);
  return { kind: 'container', crun, identity: rootIdentity, seccomp, cgroups };
}

/** Starts a program that does nothing, in a container with nothing but the system's programs. */
async function tryBare([program = '', ...rest]: string[], seccomp: object): Promise<void> {
  const directory = await realpath(await mkdtemp(path.join(os.tmpdir(), 'autocode-crun-')));
  try {
    const root = path.join(directory, 'root');
    const entries: Entry[] = [
      ...systemPrograms(),
      { kind: 'processes', at: '/proc' },
      { kind: 'devices', at: '/dev' },
    ];
    makeRoot(root, entries);
    const config = ociConfig({ root, entries, argv: ['/bin/true'], environment: {}, seccomp });
    await writeFile(path.join(directory, 'config.json'), JSON.stringify(config));
    const verb = ['run', '--bundle', directory, path.basename(directory)];
    const bare = run(program, [...rest, '--root', path.join(directory, 'state'), ...verb], {
      env: { PATH: '/usr/bin:/bin' },
      timeout: 10_000,
      killSignal: 'SIGKILL',
    });
    bare.child.stdin?.end();
    await bare;
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    const words = stderr?.trim().split('\n').at(-1) || message;
    throw unavailable(`No container can be made here: ${words}`, REMEDY, cause);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function unavailable(message: string, remedy: string, cause?: unknown): AutocodeError {
  return new AutocodeError('ERR_SANDBOX', message, { remedy, ...(cause === undefined ? {} : { cause }) });
}
