// What is not urgent waits for the end of quiet hours or for a digest. Which kinds are what stands here. Used by take.ts and own-settings.ts.
import { Cron } from 'croner';
import type { NotificationKind } from '../../protocol/notification.ts';
import type { OwnNotificationSettings } from '../../protocol/notification-ways.ts';
import { DAYS } from '../../protocol/order-of-work.ts';
import { quietUntil } from '../tasks/quiet-hours.ts';

/** urgent: nothing holds it. pressing: quiet hours do. collected: digests, too. */
export type Pressure = 'urgent' | 'pressing' | 'collected';

const PRESSURE: Record<string, Pressure> = {
  'incident.needs-person': 'urgent',
  'secret.misused': 'urgent',
  // Work stands still until somebody decides.
  'task.approval': 'pressing',
  'intake.approval': 'pressing',
} satisfies Partial<Record<NotificationKind, Pressure>>;

export type Holding = Pick<OwnNotificationSettings, 'digest' | 'digestAt' | 'timeZone' | 'quietHours'>;

/** How much something presses. */
export function pressureOf(kind: string): Pressure {
  return PRESSURE[kind] ?? 'collected';
}

/** Until when something is held; null: it goes out at once. */
export function heldUntil(
  now: Date,
  { digest, digestAt, timeZone, quietHours }: Holding,
  pressure: Pressure,
): Date | null {
  if (pressure === 'urgent') return null;
  let until = now;
  if (pressure === 'collected' && digest !== 'off') {
    const [hour, minute] = digestAt.split(':').map(Number);
    const pattern = digest === 'hourly' ? '0 * * * *' : `${minute} ${hour} * * *`;
    until = new Cron(pattern, { timezone: timeZone }).nextRun(now)!;
  }
  if (quietHours !== null)
    until = quietUntil(until, [{ ...quietHours, days: [...DAYS], timeZone, except: [] }], 'person');
  return until > now ? until : null;
}
