// The rows of a report: what each has spent, and its part of all.
import { Link } from '@tanstack/react-router';
import type { UsageReport, UsageRow } from '../../../protocol/budget.ts';
import { visible } from '../log/visible.ts';
import { count, money } from '../task/format.ts';
import { Meter } from '../ui/meter.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { amount } from './amounts.ts';

/** The table. */
export function UsageTable({ report: { by, rows, total, currency } }: { report: UsageReport }) {
  return (
    <Table
      label={`Spent by ${by}`}
      heads={[
        capital(by),
        `Money (${currency})`,
        'Part',
        'Calls',
        'Tokens in',
        'Cached',
        'Tokens out',
        'GPU time',
      ]}
    >
      {rows.map((row) => (
        <tr key={row.key}>
          <Head>
            <Name by={by} row={row} />
          </Head>
          <Cell>{money(row.money)}</Cell>
          <Cell>
            <Part of={row} total={total.money} />
          </Cell>
          <Cell>{row.calls}</Cell>
          <Cell>{count(row.inputTokens)}</Cell>
          <Cell>{count(row.cachedTokens)}</Cell>
          <Cell>{count(row.outputTokens)}</Cell>
          <Cell className="whitespace-nowrap">{row.gpu === 0 ? '–' : amount(row.gpu, 'gpu', currency)}</Cell>
        </tr>
      ))}
    </Table>
  );
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function Name({ by, row: { key } }: { by: string; row: UsageRow }) {
  if (by === 'task' && /^\d+$/.test(key)) {
    return (
      <Link to={`/tasks/${key}` as '/'} className="text-accent hover:underline">
        #{key}
      </Link>
    );
  }
  return <bdi>{key === '' ? 'nobody named' : visible(key)}</bdi>;
}

function Part({ of: { key, money: spent }, total }: { of: UsageRow; total: number }) {
  const part = total === 0 ? 0 : Math.round((spent / total) * 100);
  return <Meter label={`Part of ${key}`} value={spent} most={total} text={`${part} %`} plain />;
}
