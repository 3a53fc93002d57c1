// What the daemon does for its secrets from time to time. Used by main.ts.
import type { OpenSecrets } from '../secrets/open.ts';
import type { Chore } from '../tasks/scheduler.ts';

const DAY = 24 * 60 * 60;

/** Its own credentials at Vault are replaced every day, and at the start. */
export function secretChores({ renew }: OpenSecrets): Chore[] {
  return renew === undefined ? [] : [{ name: 'credentials of Vault', everySeconds: DAY, run: renew }];
}
