// `autocode audit …`.
import { z } from 'zod';
import { AuditRecord } from '../../protocol/person.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { table } from './output.ts';
import { show } from './redraw.ts';

interface ListArgs extends GlobalArgs {
  actor: string | undefined;
  project: string | undefined;
  refused: boolean;
  before: number | undefined;
  limit: number;
}

/** Lists the audit log. */
export async function listAudit(args: ListArgs): Promise<void> {
  const { actor, project, refused, before, limit } = args;
  const query = { actor, project, refused, before, limit };
  const records = () => connect(args).get('/audit-records', z.array(AuditRecord), query);
  await show(args, records, drawRecords);
}

function drawRecords(records: AuditRecord[]): string {
  if (records.length === 0) return 'No changes.';
  return table(records, [
    { title: 'ID', value: (record) => String(record.id), align: 'right' },
    { title: 'WHEN', value: (record) => relativeTime(record.at) },
    { title: 'WHO', value: (record) => record.actor ?? 'unknown' },
    { title: 'FROM', value: (record) => record.address },
    { title: 'WHAT', value: whatOf },
    { title: 'RESULT', value: (record) => record.code ?? String(record.status ?? 'not known') },
  ]);
}

function whatOf({ method, route, target }: AuditRecord): string {
  const { made, ...named } = target;
  const address = Object.entries(named).reduce(
    (so, [name, value]) => so.replace(`:${name}`, value),
    route.replace('/api/v1', ''),
  );
  return `${method} ${address}${made === undefined ? '' : ` → ${made}`}`;
}
