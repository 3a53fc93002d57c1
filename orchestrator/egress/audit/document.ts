// A record of traffic as Elasticsearch keeps it: one document a request, in the index of its day. Used by ship.ts and setup.ts.
import type { Piece } from '../traffic/spool-reader.ts';

export const ALIAS = 'autocode-traffic';

/** What goes into a bulk: where to, and the document, each a line of JSON. */
export interface Document {
  id: string;
  event: string;
  action: string;
  source: string;
}

const DAY_INDEX = /^autocode-traffic-(\d{4})\.(\d\d)\.(\d\d)$/;
const AT = /^\d{4}-\d\d-\d\dT/;
const HOUR_MS = 3_600_000;
/** More than the file of an hour has bytes. */
const HOUR_ROOM = 2 ** 33;

/** The index of the day of a time. */
export function indexOf(at: string): string {
  return `${ALIAS}-${at.slice(0, 10).replaceAll('-', '.')}`;
}

/** The day of an index, as 2026-11-21; null: it is none of ours. */
export function dayOf(index: string): string | null {
  const [, ...parts] = DAY_INDEX.exec(index) ?? [];
  return parts.length === 3 ? parts.join('-') : null;
}

/** The document of a line of the spool; null of one that is no record, as a crash leaves it. */
export function documentOf(file: string, { text, offset }: Piece['lines'][number]): Document | null {
  const record = recordIn(text);
  if (record === null) return null;
  const { id, event, at } = record;
  // The end takes the place of the beginning, whichever comes first and however often: an older version is refused.
  const version = event === 'close' ? 2 : 1;
  const own = { '@timestamp': at, position: positionOf(file, offset), bytes: bytesOf(record) };
  return {
    id,
    event,
    action: JSON.stringify({
      index: { _index: indexOf(at), _id: id, version, version_type: 'external_gte' },
    }),
    source: `${JSON.stringify(own).slice(0, -1)},${text.trimStart().slice(1)}`,
  };
}

/** A number that grows from line to line over all files: the order of the spool. */
export function positionOf(file: string, offset: number): number {
  const hour = Date.parse(`${file.slice(0, 13)}:00:00Z`) / HOUR_MS;
  return hour * HOUR_ROOM + offset;
}

interface Known {
  id: string;
  event: string;
  at: string;
  bytesOut?: unknown;
  bytesIn?: unknown;
}

function recordIn(text: string): Known | null {
  try {
    const record = JSON.parse(text) as Known;
    const { id, event, at } = record;
    const whole = typeof id === 'string' && id !== '' && typeof at === 'string' && AT.test(at);
    return whole && (event === 'open' || event === 'close') ? record : null;
  } catch {
    return null;
  }
}

function bytesOf({ bytesOut, bytesIn }: Known): number {
  return (Number(bytesOut) || 0) + (Number(bytesIn) || 0);
}
