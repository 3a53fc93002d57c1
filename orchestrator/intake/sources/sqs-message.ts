// Messages of a queue: four shapes of alarms, and tickets, told apart and made to work items. Pure. Used by sqs.ts.
import { z } from 'zod';
import type { WorkItem } from '../work-item.ts';
import { AlarmEvent, alarmOfEvent, AlarmMessage, alarmOfMessage, itemOfAlarm, type Alarm } from './alarms.ts';
import { jsonObject, shaped } from './shaped.ts';
import type { SqsSettings } from './sqs-settings.ts';
import { itemOfTicket, Ticket } from './tickets.ts';

const SnsEnvelope = z.object({
  Type: z.enum(['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation']),
  MessageId: z.string(),
  TopicArn: z.string(),
  Message: z.string(),
});

/** What a message says; throws where it is nothing that is known here: it is poison then. */
export function itemsOfMessage(body: string, settings: SqsSettings): WorkItem[] {
  const document = jsonObject(body, 'message');
  if (document.Type === undefined) return [itemOf(document, settings)];
  const envelope = shaped(SnsEnvelope, document, 'message of SNS');
  const refused = settings.topics !== undefined && !settings.topics.includes(envelope.TopicArn);
  const says = (why: string) =>
    ignored(`sns|${envelope.MessageId}`, `${envelope.Type} of ${envelope.TopicArn}`, why);
  if (refused) return [says('Its topic is none of those that the source listens to.')];
  if (envelope.Type === 'Notification')
    return [itemOf(jsonObject(envelope.Message, 'notification'), settings)];
  // Confirming takes a request to an address that the message names, so a person does it.
  if (envelope.Type === 'SubscriptionConfirmation')
    return [says('SNS asks to confirm the subscription: do so in SNS, with the token that the message has.')];
  return [says('SNS ended the subscription: nothing more comes from this topic.')];
}

function itemOf(document: Record<string, unknown>, settings: SqsSettings): WorkItem {
  if (document['detail-type'] === 'CloudWatch Alarm State Change')
    return alarmItem(alarmOfEvent(shaped(AlarmEvent, document, 'event of an alarm')), settings);
  if (document.AlarmName !== undefined)
    return alarmItem(alarmOfMessage(shaped(AlarmMessage, document, 'message of an alarm')), settings);
  if (document.type === 'ticket') return itemOfTicket(shaped(Ticket, document, 'ticket'), settings);
  if (typeof document['detail-type'] === 'string' && typeof document.id === 'string')
    return ignored(
      `event|${document.id}`,
      document['detail-type'],
      'It is an event, and no alarm that changed its state.',
    );
  throw new Error('the message is neither an alarm (of SNS, raw, or of EventBridge) nor a ticket');
}

function alarmItem(alarm: Alarm, settings: SqsSettings): WorkItem {
  const rule = settings.projects.find(
    ({ account, region, alarm: name }) =>
      (account === undefined || account === alarm.account) &&
      (region === undefined || region === alarm.region) &&
      (name === undefined || matches(name, alarm.name)),
  );
  return itemOfAlarm(alarm, rule?.project);
}

// `*` is any text; nothing else is special.
function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return name === pattern;
  if (!name.startsWith(first)) return false;
  const last = rest.pop()!;
  let from = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return name.length - last.length >= from && name.endsWith(last);
}

function ignored(key: string, title: string, why: string): WorkItem {
  return {
    kind: 'message',
    key,
    subject: null,
    actor: null,
    byRight: true,
    title: title.slice(0, 200),
    text: '',
    what: 'a message of the queue',
    at: null,
    ignored: why,
  };
}
