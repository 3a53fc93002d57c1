// `autocode egress list`.
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { EgressRecord } from '../../protocol/model.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { bytes, timestamp } from './format.ts';
import { table } from './output.ts';
import { show } from './redraw.ts';

interface Args extends GlobalArgs {
  run: string | undefined;
  project: string | undefined;
  since: string | undefined;
  limit: number;
}

/** Lists what has left the appliance. */
export async function listEgress(args: Args): Promise<void> {
  const { run, project, limit } = args;
  const since = args.since === undefined ? undefined : timeOf(args.since, Date.now());
  const client = connect(args);
  const query = { run, project, since, limit };
  await show(args, () => client.get('/egress', z.array(EgressRecord), query), drawEgress);
}

const SPANS: Record<string, number> = { h: 3_600_000, d: 86_400_000 };

/** `7d` and `12h` before now, or the time itself. */
export function timeOf(text: string, now: number): string {
  const [, number = '', unit = ''] = /^(\d{1,6})([hd])$/.exec(text) ?? [];
  const at = unit === '' ? Date.parse(text) : now - Number(number) * SPANS[unit]!;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new AutocodeError('ERR_INVALID_INPUT', `--since ${text} is no time.`, {
    remedy: 'Write it as 7d, 12h, 2026-01-31 or 2026-01-31T08:00Z.',
  });
}

function drawEgress(records: EgressRecord[]): string {
  if (records.length === 0) return 'Nothing has left the appliance.';
  return table(records, [
    { title: 'AT', value: ({ at }) => timestamp(at) },
    { title: 'BY', value: ({ run, key }) => (run === null ? `key ${key}` : `run ${run}`) },
    { title: 'PROJECT', value: ({ project }) => project ?? '' },
    { title: 'ENGINE', value: ({ engine }) => engine },
    { title: 'HOST', value: ({ host }) => host },
    { title: 'SENT', value: ({ bytesOut }) => bytes(bytesOut), align: 'right' },
    {
      title: 'RECEIVED',
      value: ({ bytesIn }) => (bytesIn === null ? 'no answer' : bytes(bytesIn)),
      align: 'right',
    },
    { title: 'REQUEST', value: ({ request }) => request },
  ]);
}
