// What the traffic is narrowed to, as it stands in the address.
export const DECISIONS = ['allowed', 'denied', 'refused'];

export interface TrafficFilter {
  host?: string;
  project?: string;
  run?: string;
  decision?: string;
  text?: string;
}
const WORDS = ['host', 'project', 'run', 'text'] as const;

/** The filter of an address; what is none is left out. */
export function trafficFilter(search: Record<string, unknown>): TrafficFilter {
  const filter: TrafficFilter = {};
  for (const word of WORDS) {
    const given = search[word];
    if (typeof given === 'string' || typeof given === 'number') filter[word] = String(given);
  }
  const decision = DECISIONS.find((each) => each === search.decision);
  return decision === undefined ? filter : { ...filter, decision };
}

/** The search of the address of a view. */
export function searchOf(view: string, filter: TrafficFilter): Record<string, unknown> {
  return { ...(view === 'requests' ? {} : { view }), ...filter };
}
