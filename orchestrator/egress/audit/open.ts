// The audit in Elasticsearch, put together: shipping, and the end of old indices. Imported only where it is configured; used by
// orchestrator/daemon/egress.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../../telemetry/log.ts';
import type { AutocodeError } from '../../../protocol/errors.ts';
import type { PartHealth } from '../../../protocol/status.ts';
import type { AuditSettings } from '../../config/audit-settings.ts';
import type { Database } from '../../db/connect.ts';
import type { SecretManager } from '../../secrets/secret-manager.ts';
import { egressPlaces } from '../places.ts';
import { spoolReader } from '../traffic/spool-reader.ts';
import { openSearch, type Search } from './client.ts';
import { countRejected } from './rejected.ts';
import { removeOldIndices } from './retention.ts';
import { shipSpool } from './ship.ts';

export interface Audit {
  search: Search;
  /** The part `audit` of the status. */
  health(): Promise<PartHealth>;
  stop(): Promise<void>;
}

export interface AuditParts {
  settings: AuditSettings;
  /** The data directory. */
  root: string;
  db: Database;
  log: Log;
  secrets: SecretManager;
}

const HOUR_MS = 3_600_000;
const MEGABYTE = 1024 * 1024;

/** Starts all of it; connects to nothing before it returns. */
export function openAudit({ settings, root, db, log, secrets }: AuditParts): Audit {
  const { spool, rejected } = egressPlaces(root);
  const stopping = new AbortController();
  const { signal } = stopping;
  const search = openSearch(settings, secrets, signal);
  const reader = spoolReader(db, 'elasticsearch', spool);
  let trouble: AutocodeError | null = null;
  const shipped = shipSpool({
    db,
    search,
    reader,
    rejected,
    signal,
    told(now) {
      if (now !== null && now.message !== trouble?.message)
        log.warn(`records of traffic wait: ${now.message}`, { part: 'audit' });
      if (now === null) log.info('records of traffic are shipped again', { part: 'audit' });
      trouble = now;
    },
  });
  const cleaned = (async () => {
    while (!signal.aborted) {
      try {
        const gone = await removeOldIndices(search, new Date());
        if (gone.length > 0)
          log.info(`indices past their time are deleted: ${gone.join(', ')}`, { part: 'audit' });
      } catch (error) {
        if (trouble === null && !signal.aborted)
          log.warn('old indices could not be deleted', { part: 'audit', error });
      }
      await delay(HOUR_MS, undefined, { signal }).catch(() => {});
    }
  })();
  return {
    search,
    async health() {
      const name = 'audit';
      const bytes = await reader.unread();
      const behind = bytes === 0 ? 'all is shipped' : `${Math.ceil(bytes / MEGABYTE)} MB to ship`;
      if (trouble !== null)
        return {
          name,
          state: 'degraded',
          detail: [trouble.message, trouble.remedy, `${behind}; nothing is lost.`].join(' '),
        };
      const refused = await countRejected(rejected);
      if (refused > 0)
        return {
          name,
          state: 'degraded',
          detail: `Elasticsearch did not take ${refused} records: they are in ${rejected} with their reasons; remove the files when that is settled. ${settings.url}, ${behind}`,
        };
      return { name, state: 'ok', detail: `${settings.url}, ${behind}` };
    },
    async stop() {
      stopping.abort();
      await Promise.all([shipped, cleaned]);
      await search.close();
    },
  };
}
