// What this machine offers for isolations `container` and `gvisor`, found once a process. Used by the runner, the claimer and the
// self-test.
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
import { OCI_RUNTIMES, type ContainerKind, type OciRuntime } from './oci-runtimes.ts';
import { ociSeccomp } from './oci-seccomp.ts';
import { architectureOf } from './seccomp.ts';

export interface ContainerHost {
  kind: ContainerKind;
  runtime: OciRuntime;
  /** The runtime's program, and what goes before its verb. */
  command: string[];
  identity: Pick<Identity, 'give' | 'show'>;
  seccomp: object;
  cgroups: CgroupParents;
}

const run = promisify(execFile);

/** ERR_SANDBOX, with what to do, when there can be no such sandbox here. `searchPath` is where the runtime is looked for. */
export async function containerHost(kind: ContainerKind, searchPath: string): Promise<ContainerHost> {
  const runtime = OCI_RUNTIMES[kind];
  const unavailable = (message: string, cause?: unknown) =>
    new AutocodeError('ERR_SANDBOX', message, {
      remedy: runtime.remedy,
      ...(cause === undefined ? {} : { cause }),
    });
  if (process.getuid?.() !== 0)
    throw unavailable('A container needs a worker that runs as root, and this one does not.');
  const seccomp = ociSeccomp(architectureOf(os.machine()), runtime.noSuchCall);
  const program = await findProgram(runtime.program, searchPath);
  if (program === null)
    throw unavailable(`${runtime.program} is not installed, and without it there is no ${kind} isolation.`);
  const cgroups = await cgroupParents();
  if (cgroups === null)
    throw unavailable('No control group can be made here, so a container would have no limits.');
  const host = {
    kind,
    runtime,
    command: runtime.command(program, cgroups),
    identity: rootIdentity,
    seccomp,
    cgroups,
  };
  try {
    await startBare(host);
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    throw unavailable(`No container can be made here: ${stderr?.trim().split('\n')[0] || message}`, cause);
  }
  return host;
}

/** Starts a program that does nothing, in a container with nothing but the system's programs. */
async function startBare({
  runtime,
  command: [program = '', ...rest],
  seccomp,
}: ContainerHost): Promise<void> {
  const directory = await realpath(await mkdtemp(path.join(os.tmpdir(), 'autocode-container-')));
  try {
    const root = path.join(directory, 'root');
    const entries: Entry[] = [
      ...systemPrograms(),
      { kind: 'processes', at: '/proc' },
      { kind: 'devices', at: '/dev' },
    ];
    makeRoot(root, entries);
    const config = ociConfig({
      root,
      entries,
      mounts: runtime.mounts,
      processes: null,
      argv: ['/bin/true'],
      environment: {},
      seccomp,
    });
    await writeFile(path.join(directory, 'config.json'), JSON.stringify(config));
    const verb = ['run', '--bundle', directory, path.basename(directory)];
    const bare = run(program, [...rest, '--root', path.join(directory, 'state'), ...verb], {
      env: { PATH: '/usr/bin:/bin' },
      timeout: 10_000,
      killSignal: 'SIGKILL',
    });
    bare.child.stdin?.end();
    await bare;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
