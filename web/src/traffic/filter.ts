// What the traffic is narrowed to, and how it is drawn over time, as they stand in the address.
export const DECISIONS = ['allowed', 'denied', 'refused'];

export interface TrafficFilter {
  host?: string;
  project?: string;
  run?: string;
  decision?: string;
  text?: string;
  /** The time that was chosen in the plot. */
  since?: string;
  until?: string;
}
const WORDS = ['host', 'project', 'run', 'text', 'since', 'until'] as const;

/** Milliseconds that the plot shows, by their name. */
export const PERIODS = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
};
/** What the plot shows, in words. */
export const MEASURES = {
  requests: 'requests',
  denied: 'not let out',
  bytesOut: 'sent',
  bytesIn: 'received',
};

export interface Drawn {
  period: keyof typeof PERIODS;
  of: keyof typeof MEASURES;
}

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

/** What an address says of the plot. */
export function drawnOf({ period, of }: Record<string, unknown>): Drawn {
  return {
    period:
      typeof period === 'string' && Object.hasOwn(PERIODS, period) ? (period as Drawn['period']) : 'day',
    of: typeof of === 'string' && Object.hasOwn(MEASURES, of) ? (of as Drawn['of']) : 'requests',
  };
}

/** The search of the address of a view. */
export function searchOf(
  view: string,
  filter: TrafficFilter,
  { period = 'day', of = 'requests' }: Partial<Drawn> = {},
): Record<string, unknown> {
  return {
    ...(view === 'requests' ? {} : { view }),
    ...(period === 'day' ? {} : { period }),
    ...(of === 'requests' ? {} : { of }),
    ...filter,
  };
}
