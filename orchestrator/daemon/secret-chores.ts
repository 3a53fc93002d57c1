// What the daemon does for its secrets from time to time. Used by main.ts.
import type { OpenSecrets } from '../secrets/open.ts';
import type { Chore } from '../tasks/scheduler.ts';

const HOUR = 3_600;

/** Its own credentials at Vault are replaced every day; where Vault is sealed then, soon after. */
export function secretChores({ renew }: OpenSecrets): Chore[] {
  return renew === undefined ? [] : [{ name: 'credentials of Vault', everySeconds: HOUR, run: renew }];
}
