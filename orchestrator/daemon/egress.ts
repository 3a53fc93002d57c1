// The sandboxes' way out, where there is to be one; nothing of it is loaded otherwise. Used by main.ts.
import { existsSync } from 'node:fs';
import type { RootLog } from '../../telemetry/log.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../db/connect.ts';
import type { Egress } from '../egress/open.ts';
import { egressPlaces } from '../egress/places.ts';
import type { SubmitDeps } from '../repos/submit.ts';

/** Starts it; a proxy that runs where none is wanted any more is ended. */
export async function startEgress(
  config: Config,
  root: string,
  db: Database,
  log: RootLog,
  serverKey: Buffer,
): Promise<Egress | undefined> {
  const places = egressPlaces(root);
  if (!config.egress.proxy) {
    if (existsSync(places.process)) await (await import('../egress/proxy.ts')).endLeftProxy(places);
    return undefined;
  }
  const { openEgress } = await import('../egress/open.ts');
  return await openEgress({ settings: config.egress, root, db, log, serverKey });
}

/** What runs were refused, for their pull requests. */
export function refusalsIn(config: Config, root: string): SubmitDeps['refusals'] {
  if (!config.egress.proxy) return undefined;
  return async (run, since) => {
    const { refusalsOf } = await import('../egress/traffic/search.ts');
    return await refusalsOf(egressPlaces(root).spool, run, since.toISOString());
  };
}
