// What queues deliver in a simulation: alarms as CloudWatch tells them, and tickets; read by the real source. Pure.
import type { Scenario } from '../../protocol/scenario.ts';

type Arrival = Scenario['arrivals'][number];

/** A text with its numbers: `{n}` and `{n%17}`. */
export function numbered(text: string, n: number): string {
  return text.replace(/\{n(?:%(\d+))?\}/g, (_, divisor?: string) =>
    String(divisor === undefined ? n : n % Number(divisor)),
  );
}

/** The message of a ticket. */
export function ticketMessage(
  { name, project, priority }: NonNullable<Arrival['ticket']>,
  n: number,
): object {
  return {
    type: 'ticket',
    id: numbered(name, n),
    title: numbered(name, n),
    ...(project !== undefined && { project: numbered(project, n) }),
    ...(priority !== undefined && { priority }),
  };
}

/** The message of an alarm that changed its state at a time. */
export function alarmMessage(
  { name, account, state }: NonNullable<Arrival['alarm']>,
  n: number,
  changed: Date,
): object {
  return {
    AlarmName: numbered(name, n),
    AWSAccountId: numbered(account, n),
    NewStateValue: state,
    NewStateReason: 'Threshold crossed.',
    StateChangeTime: changed.toISOString(),
    Region: 'eu-central-1',
    OldStateValue: state === 'ALARM' ? 'OK' : 'ALARM',
  };
}
