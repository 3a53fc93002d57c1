// The budgets: what is spent of each, what calls under way have reserved; set and removed by admins.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Budget, ForecastBudget } from '../../../protocol/budget.ts';
import { act } from '../api/act.ts';
import { get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Meter } from '../ui/meter.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { amount } from './amounts.ts';
import { BudgetDialog } from './budget-dialog.tsx';

const LOOK_MS = 15_000;
const DAY_MS = 86_400_000;

/** All of them; `currency` is the ledger's, once it is known. */
export function Budgets({ currency = '' }: { currency: string | undefined }) {
  const { data, error } = useQuery({
    queryKey: ['money', 'budgets'],
    queryFn: async ({ signal }) => await get<ForecastBudget[]>('/budgets', {}, signal),
    refetchInterval: LOOK_MS,
  });
  const mayChange = useMayInAll('admin');
  const [open, setOpen] = useState<Budget | 'new'>();
  return (
    <Section
      title="Budgets"
      actions={mayChange && <Button onClick={() => setOpen('new')}>New budget</Button>}
    >
      {error && <Problem error={error} />}
      {data?.length === 0 && (
        <Empty title="No budgets yet">
          <p>
            A budget bounds what a project, an agent, a person, a worker or all together may spend in a day, a
            week, a month or at all. No call is let out that would go beyond it.
          </p>
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <Table label="Budgets" heads={['Of', 'A', 'Used', 'Reserved', 'Left', 'At this pace', 'Actions']}>
          {data.map((budget) => (
            <Row
              key={budget.id}
              budget={budget}
              currency={currency}
              onEdit={mayChange ? () => setOpen(budget) : undefined}
            />
          ))}
        </Table>
      )}
      {open !== undefined && (
        <BudgetDialog
          budget={open === 'new' ? undefined : open}
          currency={currency}
          onClose={() => setOpen(undefined)}
        />
      )}
    </Section>
  );
}

/** Whose a budget is, in words. */
export function ofWhom({ scope, subject }: Pick<Budget, 'scope' | 'subject'>): string {
  if (scope === 'appliance') return 'everything';
  return subject === '*' ? `each ${scope}` : `${scope} ${visible(subject)}`;
}

interface RowProps {
  budget: ForecastBudget;
  currency: string;
  onEdit: (() => void) | undefined;
}

function Row({ budget, currency, onEdit }: RowProps) {
  const { id, period, unit, spent, held, origin } = budget;
  const whose = ofWhom(budget);
  const words = (value: number) => amount(value, unit, currency);
  const remove = async () =>
    await act(
      'money',
      async () => await send('DELETE', `/budgets/${id}`),
      () => `${whose} has no such budget any more.`,
    );
  return (
    <tr>
      <Head>
        <bdi>{whose}</bdi> {origin === 'worker' && <Badge>its own</Badge>}
      </Head>
      <Cell>{period === 'total' ? 'all time' : period}</Cell>
      <Cell className="min-w-40">
        <Meter
          label={`Budget of ${whose} a ${period}`}
          value={spent + held}
          most={budget.amount}
          text={`${words(spent)} of ${words(budget.amount)}`}
        />
      </Cell>
      <Cell className="whitespace-nowrap">{held === 0 ? '–' : words(held)}</Cell>
      <Cell className="whitespace-nowrap">{words(Math.max(0, budget.amount - spent - held))}</Cell>
      <Cell className="min-w-36">
        <Pace budget={budget} words={words} />
      </Cell>
      <Cell className="print:hidden">
        {onEdit !== undefined && origin === 'set' && (
          <span className="flex gap-1">
            <Button look="quiet" aria-label={`Change the budget of ${whose}`} onClick={onEdit}>
              Change
            </Button>
            <Button look="quiet" aria-label={`Remove the budget of ${whose}`} onClick={() => void remove()}>
              Remove
            </Button>
          </span>
        )}
      </Cell>
    </tr>
  );
}

/** What it comes to, by the last week. */
function Pace({ budget: { forecast, amount: all }, words }: PaceProps) {
  if (forecast === null) return <span className="text-muted">–</span>;
  const { pace, atEnd, runsOut } = forecast;
  const out = runsOut !== null && (
    <Badge tone={atEnd === null || atEnd > all ? 'warn' : 'neutral'}>
      {Date.parse(runsOut) <= Date.now() ? 'used up' : `runs out ${dayOf(runsOut)}`}
    </Badge>
  );
  return (
    <>
      <span className="block whitespace-nowrap">
        {atEnd === null ? `${words(pace)} a day` : `${words(atEnd)} at its end`}
      </span>
      {out}
    </>
  );
}

interface PaceProps {
  budget: ForecastBudget;
  words: (value: number) => string;
}

function dayOf(at: string): string {
  const date = new Date(at);
  const soon = date.getTime() - Date.now() < DAY_MS;
  return soon
    ? `at ${date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`
    : date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}
