// The pages that the bar leads to, in its order and groups, and which of them somebody has use of. `key` is what is pressed after `g`.
import type { PersonRole, SignedIn } from '../../../protocol/person.ts';
import { may, mayInAll } from '../session/rights.ts';

export interface Place {
  label: string;
  to: string;
  key: string;
  /** Under which heading of the bar; the inbox alone stands beside the brand. */
  group: 'Work' | 'Appliance' | 'People' | 'bell';
  /** The least role that has use of it; a viewer's when left out. */
  role?: PersonRole;
  /** It is about all projects: of no use to those with roles in single ones. */
  inAll?: true;
}

export const PLACES: Place[] = [
  { label: 'Inbox', to: '/inbox', key: 'u', group: 'bell' },
  { label: 'Board', to: '/', key: 'b', group: 'Work' },
  { label: 'Review', to: '/review', key: 'r', group: 'Work' },
  { label: 'Projects', to: '/projects', key: 'j', group: 'Work' },
  { label: 'Incidents', to: '/incidents', key: 'n', group: 'Work' },
  { label: 'Intake', to: '/intake', key: 'i', group: 'Work' },
  { label: 'Fleet', to: '/fleet', key: 'f', group: 'Appliance', inAll: true },
  { label: 'Money', to: '/money', key: 'm', group: 'Appliance', inAll: true },
  { label: 'Traffic', to: '/traffic', key: 't', group: 'Appliance', inAll: true },
  { label: 'System', to: '/system', key: 's', group: 'Appliance', inAll: true },
  { label: 'Settings', to: '/settings', key: 'e', group: 'Appliance', role: 'admin', inAll: true },
  { label: 'People', to: '/people', key: 'p', group: 'People', role: 'admin' },
  { label: 'Audit log', to: '/audit', key: 'l', group: 'People', role: 'admin' },
  { label: 'Account', to: '/account', key: 'a', group: 'People' },
];

/** The pages that somebody has use of. */
export function placesOf(user: SignedIn['user'] | undefined): Place[] {
  if (user === undefined) return [];
  return PLACES.filter(({ role = 'viewer', inAll }) =>
    inAll === true ? mayInAll(user, role) : may(user, role),
  );
}
