// Money by day, as bars.
import type { UsageReport } from '../../../protocol/budget.ts';
import { money } from '../task/format.ts';

const HEIGHT = 100;

/** The bars; the figures of a day are told on hover, and all of them under `by day`. */
export function DayChart({ report: { days, currency } }: { report: UsageReport }) {
  const most = Math.max(...days.map((each) => each.money), 0);
  if (most === 0) return null;
  const highest = days.find((each) => each.money === most)!;
  const width = 1000 / days.length;
  return (
    <figure className="rounded-lg border border-line bg-surface p-3">
      <svg
        role="img"
        aria-label={`Money by day: most on ${highest.day}, ${money(most)} ${currency}`}
        viewBox={`0 0 1000 ${HEIGHT}`}
        preserveAspectRatio="none"
        className="block h-32 w-full"
      >
        {days.map(({ day, money: spent }, index) => {
          const height = (spent / most) * HEIGHT;
          return (
            <g key={day}>
              <title>{`${day}: ${money(spent)} ${currency}`}</title>
              <rect x={index * width} width={width} height={HEIGHT} className="fill-transparent" />
              <rect
                x={index * width + width * 0.1}
                y={HEIGHT - height}
                width={width * 0.8}
                height={height}
                className="fill-accent"
              />
            </g>
          );
        })}
      </svg>
      <figcaption className="mt-1 flex justify-between border-t border-line pt-1 text-sm text-muted">
        <span>{days[0]?.day}</span>
        <span>
          most: {money(most)} {currency} on {highest.day}
        </span>
        <span>{days.at(-1)?.day}</span>
      </figcaption>
    </figure>
  );
}
