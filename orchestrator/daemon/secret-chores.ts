// What the daemon does for its secrets from time to time. Used by main.ts.
import type { Queryable } from '../db/connect.ts';
import type { OpenSecrets } from '../secrets/open.ts';
import { noteSecrets } from '../tasks/locked-secrets.ts';
import type { Chore } from '../tasks/scheduler.ts';

const HOUR = 3_600;
const LOOK_SECONDS = 5;

/**
 * Whether secrets can be read is noted, for tasks that need some. Its own credentials at Vault are replaced every day; where Vault is
 * sealed then, soon after.
 */
export function secretChores(db: Queryable, { renew, health }: OpenSecrets): Chore[] {
  const look = {
    name: 'whether secrets can be read',
    everySeconds: health === undefined ? HOUR : LOOK_SECONDS,
    run: async () => {
      const part = await health?.();
      await noteSecrets(db, part?.state === 'down' ? part.detail : null);
    },
  };
  return renew === undefined
    ? [look]
    : [look, { name: 'credentials of Vault', everySeconds: HOUR, run: renew }];
}
