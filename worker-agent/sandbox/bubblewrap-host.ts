// What this machine offers for isolation `bubblewrap`, found once a process. Used by the runner, the claimer and the self-test.
import os from 'node:os';
import { cgroupParents, type CgroupParents } from './cgroup-parents.ts';
import { findBubblewrap, identityOf, type Identity } from './identity.ts';
import { architectureOf, seccompProgram } from './seccomp.ts';

export interface BubblewrapHost {
  kind: 'bubblewrap';
  bwrap: string;
  identity: Identity;
  /** The system call filter. */
  filter: Buffer;
  /** Null: no control groups for this user. */
  cgroups: CgroupParents | null;
}

/** ERR_SANDBOX, with what to do, when there can be no such sandbox here. `searchPath` is where bwrap is looked for. */
export async function bubblewrapHost(searchPath: string): Promise<BubblewrapHost> {
  const filter = seccompProgram(architectureOf(os.machine()));
  const bwrap = await findBubblewrap(searchPath);
  const [identity, cgroups] = await Promise.all([identityOf(bwrap), cgroupParents()]);
  return { kind: 'bubblewrap', bwrap, identity, filter, cgroups };
}
