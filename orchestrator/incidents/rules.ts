// What decides about incidents, from the configuration. Used by whoever wires intake (daemon/, api/).
import type { IncidentSettings } from '../config/incident-settings.ts';
import { accountMap, type AccountMap } from './account-map.ts';

export interface IncidentRules extends Pick<
  IncidentSettings,
  'chainMinutes' | 'settleMinutes' | 'reopenMinutes' | 'suspectHours'
> {
  accounts: AccountMap;
}

/** Reads the rules. */
export function incidentRules(settings: IncidentSettings): IncidentRules {
  return { ...settings, accounts: accountMap(settings) };
}
