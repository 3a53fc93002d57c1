// Whether what is asked of a model leaves the appliance. Used by the catalogue, and by the gateway, which then wants leave.
import type { Served } from './catalogue.ts';
import { isPrivate } from './engine/private-address.ts';

/** The host of an engine outside the appliance; undefined for one inside. */
export function outsideHost(serves: Served): string | undefined {
  if (serves.kind !== 'upstream') return undefined;
  const { hostname } = new URL(serves.engine.url);
  return (serves.engine.external ?? !isPrivate(hostname)) ? hostname : undefined;
}
