// The pages of the bar on the left, in its order. `key` is what is pressed after `g`.

export interface Place {
  label: string;
  to: string;
  key: string;
  /** The least role that has use of it; a viewer's when left out. */
  role?: 'viewer' | 'operator' | 'admin';
  /** It is about all projects: of no use to those with roles in single ones. */
  inAll?: true;
}

export const PLACES: Place[] = [
  { label: 'Board', to: '/', key: 'b' },
  { label: 'Review', to: '/review', key: 'r' },
  { label: 'Intake', to: '/intake', key: 'i', inAll: true },
  { label: 'Incidents', to: '/incidents', key: 'n', inAll: true },
  { label: 'Fleet', to: '/fleet', key: 'f', inAll: true },
  { label: 'Money', to: '/money', key: 'm', inAll: true },
  { label: 'Traffic', to: '/traffic', key: 't', inAll: true },
  { label: 'System', to: '/system', key: 's', inAll: true },
  { label: 'People', to: '/people', key: 'p', role: 'admin' },
  { label: 'Audit log', to: '/audit', key: 'l', role: 'admin' },
  { label: 'Account', to: '/account', key: 'a' },
];
