// Where tests find gVisor's runsc, built by scripts/servers/gvisor/build.
import { join } from 'node:path';

/** PATH with its directory. */
export const gvisorPath = `${join(import.meta.dirname, '../../.runtime/servers/gvisor-20260905')}:${process.env.PATH ?? ''}`;
