// What tests of incidents work with: intake on a real database, and alarms as CloudWatch sends them through a queue.
import { randomUUID } from 'node:crypto';
import { Trust } from '../../protocol/intake.ts';
import type { IncidentState } from '../../protocol/incident.ts';
import { IncidentSettings } from '../config/incident-settings.ts';
import { intakeRig, type Rig } from '../intake/testing.ts';
import { addSource } from '../intake/sources.ts';
import { keepIncidents } from './keep.ts';
import { incidentRules } from './rules.ts';

export const NOON = Date.parse('2026-03-01T12:00:00Z');

/** Minutes are after noon of a day that is long ago. */
export interface AlarmState {
  account?: string;
  alarm?: string;
  minute: number;
  state?: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';
  reason?: string;
}

export interface IncidentRig extends Rig {
  /** Stores a message of the queue, and works on all that waits. */
  tell(state: AlarmState): Promise<void>;
  send(state: AlarmState): Promise<void>;
  keep(): Promise<void>;
  /** Ends all tasks, as their runs would. */
  end(state: 'completed' | 'failed', reason?: string): Promise<void>;
  incidents(): Promise<{ id: number; state: IncidentState; needs_person: string | null; reopened: number }[]>;
  /** What the last item of the log says. */
  last(): Promise<{ verdict: string; reason: string | null; task: number | null; incident: number | null }>;
}

/** Opens a rig whose queue `aws` belongs to the project `shop`, unless the settings name others. */
export async function incidentRig(
  settings: object = {},
  { project = 'shop' as string | null, trust = {} as Partial<Trust> } = {},
): Promise<IncidentRig> {
  const rig = await intakeRig();
  const rules = incidentRules(IncidentSettings.parse(settings));
  rig.deps.incidents = rules;
  const queue = 'https://sqs.eu-west-1.amazonaws.com/1/alarms';
  await addSource(
    { db: rig.deps.db, secrets: rig.secrets },
    {
      name: 'aws',
      kind: 'sqs',
      ...(project !== null && { project }),
      trust: Trust.parse(trust),
      settings: { queue },
    },
    'me',
  );
  const send = async (state: AlarmState) => await rig.deliver('aws', alarm(state), randomUUID());
  return {
    ...rig,
    send,
    tell: async (state) => {
      await send(state);
      await rig.work();
    },
    keep: async () => await keepIncidents(rig.deps.db, rules),
    end: async (state, reason) => {
      await rig.deps.db.query(
        `with own as (update task_repository set waiting = false)
         update task set state = $1, reason = $2, pending_reason = null, finished_at = now(), attempt = greatest(attempt, 1)`,
        [state, reason ?? null],
      );
    },
    incidents: async () =>
      (await rig.deps.db.query('select id, state, needs_person, reopened from incident order by id')).rows,
    last: async () =>
      (
        await rig.deps.db.query(
          'select verdict, reason, task, incident from intake_item order by id desc limit 1',
        )
      ).rows[0],
  };
}

/** The message of an alarm, as it is without SNS around it. */
export function alarm({
  account = '1',
  alarm: name = 'cpu',
  minute,
  state = 'ALARM',
  reason = 'Over',
}: AlarmState): object {
  return {
    AlarmName: name,
    AWSAccountId: account,
    NewStateValue: state,
    NewStateReason: reason,
    StateChangeTime: new Date(NOON + minute * 60_000).toISOString(),
    Region: 'EU (Ireland)',
  };
}
