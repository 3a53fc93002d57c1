// The sums of a period, each with what to compare it with.
import type { UsageReport } from '../../../protocol/budget.ts';
import { count, money } from '../task/format.ts';
import { amount } from './amounts.ts';

/** The row of figures on top of the money page. */
export function Figures({ report }: { report: UsageReport }) {
  const { total, previous, forecast, merged, idle, currency } = report;
  const cached = total.inputTokens === 0 ? 0 : Math.round((total.cachedTokens / total.inputTokens) * 100);
  const idleMoney = idle.reduce((sum, each) => sum + each.money, 0);
  return (
    <dl className="grid grid-cols-2 gap-2 md:grid-cols-3 xl:grid-cols-6">
      <Figure
        name="Spent"
        value={`${money(total.money)} ${currency}`}
        note={`${money(previous.total.money)} in as many days before`}
      />
      <Figure
        name="At its end"
        value={forecast === null ? '–' : `${money(forecast)} ${currency}`}
        note={forecast === null ? 'the period is over' : 'at the rate so far'}
      />
      <Figure
        name="A merged change"
        value={merged.money === null ? '–' : `${money(merged.money)} ${currency}`}
        note={`${merged.changes} merged, on average`}
      />
      <Figure
        name="Tokens"
        value={`${count(total.inputTokens)} in, ${count(total.outputTokens)} out`}
        note={`${cached} % of input cached`}
      />
      <Figure
        name="GPU time"
        value={amount(total.gpu, 'gpu', currency)}
        note={idle.length === 0 ? 'of your own' : `idle for ${money(idleMoney)} ${currency}`}
      />
      <Figure
        name="By the platform"
        value={`${money(total.platformMoney)} ${currency}`}
        note="its own retries, of all spent"
      />
    </dl>
  );
}

function Figure({ name, value, note }: { name: string; value: string; note: string }) {
  return (
    <div className="rounded-lg border border-line bg-surface px-3 py-2">
      <dt className="text-sm text-muted">{name}</dt>
      <dd>
        <span className="block text-lg font-semibold">{value}</span>
        <span className="text-sm text-muted">{note}</span>
      </dd>
    </div>
  );
}
