// When quiet hours begin or end the next time, so that time can go there at once. Used by simulate.ts.
import { QuietHours } from '../../protocol/order-of-work.ts';
import type { Scenario } from '../../protocol/scenario.ts';
import type { Config } from '../config/schema.ts';
import { quietClasses } from '../tasks/quiet-hours.ts';

const MINUTE_MS = 60_000;
const LOOKED_AT_MINUTES = 8 * 24 * 60; // a week comes round

/** The quiet hours of a scenario: those that are configured, and those of each project that has its own. */
export function quietHoursOf({ projects }: Scenario, { scheduling }: Config): QuietHours[][] {
  const own = projects.map(({ settings }) =>
    QuietHours.array()
      .catch([])
      .parse(settings.quietHours ?? []),
  );
  return [scheduling.quietHours, ...own].filter((hours) => hours.length > 0);
}

/** The first minute after now in which other classes are quiet; undefined where that never changes. */
export function quietChange(now: Date, hours: QuietHours[][]): Date | undefined {
  if (hours.length === 0) return undefined;
  const quietAt = (time: Date) => hours.map((each) => quietClasses(time, each).join()).join(';');
  const before = quietAt(now);
  const first = Math.floor(now.getTime() / MINUTE_MS) + 1;
  for (let minute = first; minute < first + LOOKED_AT_MINUTES; minute++) {
    const time = new Date(minute * MINUTE_MS);
    if (quietAt(time) !== before) return time;
  }
  return undefined;
}
