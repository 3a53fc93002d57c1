// Notifications as chores: the outbox read by the rules, what waits sent, what is old forgotten. Used by main.ts.
import type { RootLog } from '../../telemetry/log.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../db/connect.ts';
import { sendDeliveries } from '../notifications/deliveries.ts';
import { forgetNotifications } from '../notifications/inbox.ts';
import { takeEvents } from '../notifications/take.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import type { Chore } from '../tasks/scheduler.ts';

const LOOK_SECONDS = 2;
const DAY = 24 * 60 * 60;

export interface NotificationParts {
  config: Config;
  db: Database;
  secrets: SecretManager;
  log: RootLog;
  clean(text: string): string;
}

/** Chores of the scheduler. */
export function notificationChores({ config, db, secrets, log, clean }: NotificationParts): Chore[] {
  const deliver = {
    db,
    secrets,
    settings: config.notifications,
    publicUrl: config.api.publicUrl,
    log,
    clean,
  };
  return [
    {
      name: 'notifications',
      everySeconds: LOOK_SECONDS,
      run: async (signal) => await takeEvents(db, config.notifications, signal),
    },
    {
      name: 'deliveries of notifications',
      everySeconds: LOOK_SECONDS,
      run: async (signal) => await sendDeliveries(deliver, signal),
    },
    {
      name: 'old notifications',
      everySeconds: DAY,
      run: async () => await forgetNotifications(db, config.retention.eventsDays),
    },
  ];
}
