// CloudWatch alarms as they come through a queue: what SNS or an alarm itself sends, and what EventBridge sends, as work items.
// Pure. Used by sqs-message.ts.
import { z } from 'zod';
import type { WorkItem } from '../work-item.ts';
import { timeOf } from './shaped.ts';
import { shownName } from './shown-name.ts';

const State = z.enum(['ALARM', 'OK', 'INSUFFICIENT_DATA']);
const Text = z.string().nullish();

const Dimensions = z.array(z.object({ name: z.string(), value: z.string() })).nullish();

/** The message of an alarm that was published to a topic, or sent to the queue as it is. */
export const AlarmMessage = z.object({
  AlarmName: z.string().min(1),
  AlarmDescription: Text,
  AWSAccountId: z.string().min(1),
  NewStateValue: State,
  NewStateReason: Text,
  StateChangeTime: z.string(),
  Region: z.string(), // as people call it, `EU (Ireland)`: the code is in the ARN
  AlarmArn: z.string().optional(),
  OldStateValue: Text,
  Trigger: z
    .object({
      MetricName: Text,
      Namespace: Text,
      Dimensions,
      Metrics: z
        .array(
          z.object({
            MetricStat: z
              .object({ Metric: z.object({ MetricName: Text, Namespace: Text, Dimensions }) })
              .nullish(),
          }),
        )
        .nullish(),
      ComparisonOperator: Text,
      Threshold: z.number().nullish(),
    })
    .nullish(),
});

/** An event of EventBridge whose detail-type is `CloudWatch Alarm State Change`. */
export const AlarmEvent = z.object({
  account: z.string().min(1),
  region: z.string().min(1),
  resources: z.array(z.string()).default([]),
  detail: z.object({
    alarmName: z.string().min(1),
    state: z.object({ value: State, reason: Text, timestamp: z.string() }),
    previousState: z.object({ value: Text }).nullish(),
    configuration: z
      .object({
        description: Text,
        metrics: z
          .array(
            z.object({
              metricStat: z
                .object({
                  metric: z.object({
                    name: Text,
                    namespace: Text,
                    dimensions: z.record(z.string(), z.string()).nullish(),
                  }),
                })
                .nullish(),
            }),
          )
          .nullish(),
      })
      .nullish(),
  }),
});

/** An alarm that changed its state, however that was told. */
export interface Alarm {
  account: string;
  region: string; // as `eu-west-1`
  name: string;
  dimensions: string[]; // as `InstanceId=i-1`, sorted
  state: z.infer<typeof State>;
  before: string | null;
  at: Date;
  reason: string;
  description: string;
  metrics: string[]; // as `AWS/EC2 CPUUtilization`
}

/** Reads the message of an alarm. */
export function alarmOfMessage(message: z.infer<typeof AlarmMessage>): Alarm {
  const { Trigger: trigger } = message;
  const arn = /^arn:[^:]*:cloudwatch:([^:]+):([^:]+):alarm:/.exec(message.AlarmArn ?? '');
  const metrics = [trigger, ...(trigger?.Metrics ?? []).map((each) => each.MetricStat?.Metric)];
  return {
    account: arn?.[2] ?? message.AWSAccountId,
    region: arn?.[1] ?? message.Region,
    name: message.AlarmName,
    dimensions: sorted(
      metrics.flatMap((each) => (each?.Dimensions ?? []).map((d) => `${d.name}=${d.value}`)),
    ),
    state: message.NewStateValue,
    before: message.OldStateValue ?? null,
    at: timeOf(message.StateChangeTime, 'alarm'),
    reason: message.NewStateReason ?? '',
    description: message.AlarmDescription ?? '',
    metrics: sorted(
      metrics.flatMap((each) => (each?.MetricName ? [`${each.Namespace} ${each.MetricName}`] : [])),
    ),
  };
}

/** Reads the event of an alarm. */
export function alarmOfEvent({ account, region, detail }: z.infer<typeof AlarmEvent>): Alarm {
  const { configuration, state, previousState, alarmName } = detail;
  const metrics = (configuration?.metrics ?? []).flatMap((each) => each.metricStat?.metric ?? []);
  return {
    account,
    region,
    name: alarmName,
    dimensions: sorted(
      metrics.flatMap(({ dimensions }) => Object.entries(dimensions ?? {}).map((d) => d.join('='))),
    ),
    state: state.value,
    before: previousState?.value ?? null,
    at: timeOf(state.timestamp, 'alarm'),
    reason: state.reason ?? '',
    description: configuration?.description ?? '',
    metrics: sorted(metrics.flatMap(({ name, namespace }) => (name ? [`${namespace} ${name}`] : []))),
  };
}

/** What an alarm's change means; whichever way it came, it has the same key and subject. */
export function itemOfAlarm(alarm: Alarm, project: string | undefined): WorkItem {
  const { account, region, name, dimensions, state, before, at } = alarm;
  const subject = ['alarm', account, region, name, ...dimensions].join('|');
  const what = `the alarm ${shownName(name)} of the account ${shownName(account)} in ${shownName(region)}`;
  return {
    kind: 'signal',
    key: `${subject}|${at.toISOString()}|${state}`,
    subject,
    actor: null,
    byRight: true,
    title: state === 'ALARM' ? `Alarm ${name}` : `Alarm ${name} is ${state}`,
    text: [
      `State: ${state}${before ? `, before ${before}` : ''}, since ${at.toISOString()}`,
      alarm.reason && `Reason: ${alarm.reason}`,
      alarm.description && `Description: ${alarm.description}`,
      alarm.metrics.length > 0 && `Metrics: ${alarm.metrics.join(', ')}`,
      dimensions.length > 0 && `Dimensions: ${dimensions.join(', ')}`,
      `Account: ${account}, region: ${region}`,
    ]
      .filter(Boolean)
      .join('\n'),
    what,
    // Too little data says nothing of what was before: an ALARM that comes after it, and is older, counts still.
    at: state === 'INSUFFICIENT_DATA' ? null : at,
    state: state === 'ALARM' ? 'firing' : 'resolved',
    account,
    ...(state === 'INSUFFICIENT_DATA' && { ignored: 'The alarm has too little data to tell a state.' }),
    ...(project !== undefined && { project }),
  };
}

function sorted(words: string[]): string[] {
  return [...new Set(words)].toSorted();
}
