// The sandboxes' way out, where there is to be one, and the secrets that are lent to runs on it; nothing of it is loaded otherwise.
// Used by main.ts.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { PartHealth } from '../../protocol/status.ts';
import type { RootLog } from '../../telemetry/log.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../db/connect.ts';
import { egressPlaces } from '../egress/places.ts';
import type { SubmitDeps } from '../repos/submit.ts';
import type { LiveValue } from '../secrets/live-values.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import type { ClaimSettings } from '../tasks/work-order.ts';

export interface WayOut {
  /** What a run needs to go out, and what it has in the place of secrets. */
  orderFor: NonNullable<ClaimSettings['egress']>;
  health(): PartHealth[];
  stop(): Promise<void>;
}

/** Starts it; a proxy that runs where none is wanted any more is ended. */
export async function startEgress(
  config: Config,
  root: string,
  db: Database,
  log: RootLog,
  serverKey: Buffer,
  secrets: SecretManager,
  known: () => LiveValue[],
): Promise<WayOut | undefined> {
  const places = egressPlaces(root);
  if (!config.egress.proxy) {
    if (existsSync(places.process)) await (await import('../egress/proxy.ts')).endLeftProxy(places);
    return undefined;
  }
  const { openEgress } = await import('../egress/open.ts');
  const { keepLeases } = await import('../secrets/leases/keeper.ts');
  const { placeholdersOf } = await import('../secrets/leases/placeholder.ts');
  const egress = await openEgress({ settings: config.egress, root, db, log, serverKey });
  const leases = await keepLeases({
    db,
    secrets,
    serverKey,
    socket: places.secrets,
    known,
    failed: (error) => log.warn('what is lent to runs could not be looked after', { error }),
  }).catch(async (error: unknown) => {
    await egress.stop();
    throw error;
  });
  return {
    orderFor: async (tx, run) => ({
      ...egress.orderFor(run),
      placeholders: await placeholdersOf(tx, serverKey, run),
    }),
    health: () => [egress.health(), ...leases.health()],
    async stop() {
      await leases.stop();
      await egress.stop();
    },
  };
}

/** What runs were refused, for their pull requests. */
export function refusalsIn(config: Config, root: string): SubmitDeps['refusals'] {
  if (!config.egress.proxy) return undefined;
  return async (run, since) => {
    const { refusalsOf } = await import('../egress/traffic/refusals.ts');
    const places = { spool: egressPlaces(root).spool, logs: path.join(root, 'logs/worker') };
    return await refusalsOf(places, run, since.toISOString());
  };
}
