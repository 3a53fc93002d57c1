// What was spent in a period, by whom and on what; what it comes to at its end; the budgets.
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import type { UsageGrouping, UsageReport } from '../../../protocol/budget.ts';
import { get } from '../api/client.ts';
import { Choices } from '../ui/choices.tsx';
import { Empty } from '../ui/empty.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Button } from '../ui/button.tsx';
import { csvOf } from './amounts.ts';
import { Budgets } from './budgets.tsx';
import { Figures } from './figures.tsx';
import { CostOfChanges, SpentByDay } from './plots.tsx';
import { UsageTable } from './usage-table.tsx';

const LOOK_MS = 30_000;
const DAY_MS = 86_400_000;
const GROUPS = [
  'project',
  'model',
  'agent',
  'person',
  'worker',
  'task',
  'day',
] as const satisfies UsageGrouping[];
/** Days of a period, by its name; the API's own is the month so far. */
const PERIODS: Record<string, number | undefined> = {
  'this month': undefined,
  '7 days': 7,
  '30 days': 30,
  '90 days': 90,
};

/** The page at `/money`. */
export function MoneyPage() {
  const search = useSearch({ strict: false }) as { by?: string; period?: string };
  const by = GROUPS.find((each) => each === search.by) ?? 'project';
  const period = Object.hasOwn(PERIODS, search.period ?? '') ? search.period! : 'this month';
  const { data, error } = useQuery({
    queryKey: ['money', 'usage', by, period],
    queryFn: async ({ signal }) =>
      await get<UsageReport>('/usage', { by, ...daysOf(PERIODS[period]) }, signal),
    refetchInterval: LOOK_MS,
  });
  const searchOf = (more: { by?: string; period?: string }) => {
    const next = { by, period, ...more };
    return {
      ...(next.by === 'project' ? {} : { by: next.by }),
      ...(next.period === 'this month' ? {} : { period: next.period }),
    };
  };
  const choices = (names: readonly string[], key: 'by' | 'period') =>
    names.map((name) => ({ name, search: searchOf({ [key]: name }) }));
  return (
    <Page
      title="Money"
      actions={
        <Choices
          label="Period"
          to="/money"
          chosen={period}
          choices={choices(Object.keys(PERIODS), 'period')}
        />
      }
    >
      {error && <Problem error={error} />}
      {data !== undefined && (
        <>
          <p className="text-sm text-muted">
            From {data.from} to {data.to}, days of {data.timeZone}, in {data.currency}
          </p>
          <Figures report={data} />
          <SpentByDay report={data} />
          <Section
            title={`By ${by}`}
            actions={
              <>
                <Choices label="By what" to="/money" chosen={by} choices={choices(GROUPS, 'by')} />
                {data.rows.length > 0 && <Button onClick={() => download(data)}>Download CSV</Button>}
              </>
            }
          >
            {data.rows.length === 0 ? <NothingSpent /> : <UsageTable report={data} />}
          </Section>
        </>
      )}
      {data !== undefined && <CostOfChanges report={data} />}
      <Budgets currency={data?.currency} />
    </Page>
  );
}

/** The last days up to today, in the time of whoever looks. */
function daysOf(days: number | undefined): { from?: string; to?: string } {
  if (days === undefined) return {};
  const day = (at: number) => new Date(at).toLocaleDateString('en-CA');
  return { from: day(Date.now() - (days - 1) * DAY_MS), to: day(Date.now()) };
}

function download(report: UsageReport): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([csvOf(report)], { type: 'text/csv' }));
  link.download = `usage-by-${report.by}-${report.from}-${report.to}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function NothingSpent() {
  return (
    <Empty title="Nothing was spent in this period">
      <p>
        Every call of a model is in the ledger with its price: of what the provider charges, or of the time
        that it takes on GPUs of your own. <code>autocode price list</code> shows the prices.
      </p>
    </Empty>
  );
}
