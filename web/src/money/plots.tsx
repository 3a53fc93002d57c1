// Money over time: spent by day, in the parts of those that cost the most, and what a merged change has cost.
import { useMemo } from 'react';
import type { UsageReport } from '../../../protocol/budget.ts';
import { visible } from '../log/visible.ts';
import { money } from '../task/format.ts';
import { Section } from '../ui/page.tsx';
import { Plot } from '../ui/plot.tsx';

/** Spent by day; nothing where nothing was. */
export function SpentByDay({ report }: { report: UsageReport }) {
  const { days, dearest, by, total, currency } = report;
  const times = useMemo(() => days.map(({ day }) => secondsOf(day)), [days]);
  const series = useMemo(() => {
    const named = dearest.map(({ key, money: values }) => ({
      name: key === '' ? 'nobody named' : by === 'task' ? `#${key}` : visible(key),
      values,
    }));
    const rest = days.map(({ money: all }, at) =>
      dearest.reduce((left, each) => left - each.money[at]!, all),
    );
    const others = { name: dearest.length === 0 ? 'all' : 'all others', values: rest };
    return [...named, others].filter(({ values }) => values.some((value) => value > 0));
  }, [days, dearest, by]);
  if (total.money === 0) return null;
  return (
    <Plot
      label={`Money by day${by === 'day' ? '' : ` and ${by}`} in ${currency}`}
      times={times}
      series={series}
      look="stacked"
      zone="UTC"
      words={money}
    />
  );
}

/** What a merged change has cost, by day or week; nothing where none was merged. */
export function CostOfChanges({ report: { merged, currency } }: { report: UsageReport }) {
  const { over } = merged;
  const times = useMemo(() => over.map(({ from }) => secondsOf(from)), [over]);
  const series = useMemo(() => [{ name: 'a merged change', values: over.map((each) => each.money) }], [over]);
  if (over.length === 0) return null;
  return (
    <Section title="Cost of a merged change">
      <Plot
        label={`What a merged change has cost in ${currency}`}
        times={times}
        series={series}
        look="lines"
        zone="UTC"
        words={money}
      />
    </Section>
  );
}

/** Days are those of the books: the plot takes them as days of UTC. */
function secondsOf(day: string): number {
  return Date.parse(day) / 1000;
}
