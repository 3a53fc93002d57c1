// Which records are asked for. Used by all questions about traffic.
import type { TrafficRecord } from '../../../protocol/traffic.ts';

export interface TrafficQuery {
  run?: string | undefined;
  project?: string | undefined;
  worker?: string | undefined;
  /** A host, or `*.example.com` for all below. */
  host?: string | undefined;
  decision?: TrafficRecord['decision'] | undefined;
  /** Words in the address. */
  text?: string | undefined;
  /** From this time on, and before that one. */
  since?: string | undefined;
  until?: string | undefined;
  /** At least so many bytes, in and out together. */
  bytes?: number | undefined;
}

/** The fields that questions look at. */
type Asked = Pick<
  TrafficRecord,
  'at' | 'decision' | 'bytesOut' | 'bytesIn' | 'run' | 'project' | 'worker' | 'host' | 'url'
>;

/** Whether a record is one of those that are asked for. */
export function fits(record: Asked, query: TrafficQuery): boolean {
  return (
    (query.run === undefined || record.run === query.run) &&
    (query.project === undefined || record.project === query.project) &&
    (query.worker === undefined || record.worker === query.worker) &&
    (query.decision === undefined || record.decision === query.decision) &&
    (query.host === undefined || hostFits(record.host ?? '', query.host.toLowerCase())) &&
    (query.text === undefined || (record.url ?? '').includes(query.text)) &&
    (query.since === undefined || record.at >= query.since) &&
    (query.until === undefined || record.at < query.until) &&
    (query.bytes === undefined || (record.bytesOut ?? 0) + (record.bytesIn ?? 0) >= query.bytes)
  );
}

function hostFits(host: string, wanted: string): boolean {
  return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) : host === wanted;
}
