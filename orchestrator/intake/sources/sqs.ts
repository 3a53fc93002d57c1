// Queues of SQS, or of a server that speaks as it: alarms of CloudWatch and tickets. A message is deleted when it is durable
// here and no earlier; whoever dies in between gets it again, and it is the same delivery by its MessageId.
import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import { setTimeout as delay } from 'node:timers/promises';
import type { RawDelivery, Source, SourceDeps, SourceKind } from '../source.ts';
import { openQueue, queueTrouble, secretName } from './sqs-client.ts';
import { itemsOfMessage } from './sqs-message.ts';
import { SqsSettings } from './sqs-settings.ts';

const BATCH = 10; // SQS gives no more
const LONG_POLL_SECONDS = 20;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

type Accept = (deliveries: RawDelivery[]) => Promise<void>;

interface Received {
  id: string;
  handle: string;
  body: string;
  group: string | undefined; // of a queue that keeps the order
  poison: string | undefined; // why it cannot be read
}

/** Queues. */
export const sqs: SourceKind<SqsSettings> = {
  name: 'sqs',
  about: {
    what: 'CloudWatch alarms and tickets that come through a queue of SQS',
    secret: '`KEY_ID:SECRET_KEY` for the queue, where `credentials` names no other',
    farSide:
      'Let SNS or EventBridge send to the queue. The credentials need sqs:ReceiveMessage, DeleteMessage, ChangeMessageVisibility and GetQueueAttributes.',
  },
  settings: SqsSettings,
  needsProject: false,
  scope: ({ name }) => name,
  parse: ({ settings }, { body }) => itemsOfMessage(body.toString(), settings),
  receive: async (source, accept, deps, signal) => {
    const client = await openQueue(source, deps);
    try {
      const keepsPoison = await redrives(client, source.settings);
      await accept([]); // it answers: what was told of it is over
      while (!signal.aborted) await receiveOnce({ client, source, accept, deps, signal, keepsPoison });
    } catch (error) {
      if (!signal.aborted) throw queueTrouble(error, source.settings.queue, source);
    } finally {
      client.destroy();
    }
  },
  test: async (source, deps) => {
    const { queue, deadLetterQueue } = source.settings;
    const client = await openQueue(source, deps).catch((error: unknown) => error as Error);
    if (client instanceof Error)
      return [{ name: `secret ${secretName(source)}`, ok: false, detail: client.message }];
    try {
      const queues = deadLetterQueue === undefined ? [queue] : [queue, deadLetterQueue];
      return await Promise.all(queues.map(async (each) => await look(client, each, source)));
    } finally {
      client.destroy();
    }
  },
};

interface Reception {
  client: SQSClient;
  source: Source<SqsSettings>;
  accept: Accept;
  deps: SourceDeps;
  signal: AbortSignal;
  /** The queue itself puts aside what was received too often. */
  keepsPoison: boolean;
}

async function receiveOnce(reception: Reception): Promise<void> {
  const { client, source, signal } = reception;
  const { queue, visibilitySeconds } = source.settings;
  const { ReceiveMessageCommand } = await import('@aws-sdk/client-sqs');
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: queue,
      MaxNumberOfMessages: BATCH,
      WaitTimeSeconds: LONG_POLL_SECONDS,
      VisibilityTimeout: visibilitySeconds,
      MessageSystemAttributeNames: ['MessageGroupId'],
    }),
    { abortSignal: signal },
  );
  if (Messages.length === 0) return;
  const received = Messages.map((message) => read(message, source.settings));
  const stopHolding = hold(reception, received);
  try {
    if (await store(reception, received)) await settle(reception, received);
  } finally {
    stopHolding();
  }
}

function read({ MessageId, ReceiptHandle, Body, Attributes }: Message, settings: SqsSettings): Received {
  const message = {
    id: MessageId!,
    handle: ReceiptHandle!,
    body: Body ?? '',
    group: Attributes?.MessageGroupId,
  };
  try {
    itemsOfMessage(message.body, settings);
    return { ...message, poison: undefined };
  } catch (error) {
    return { ...message, poison: (error as Error).message };
  }
}

// The messages stay ours while they are at work, however long the database is away: to give them back and take them again
// would count against them, and the queue puts aside what was received too often.
function hold({ client, source, deps }: Reception, received: Received[]): () => void {
  const { queue, visibilitySeconds } = source.settings;
  const prolong = async () => {
    const { ChangeMessageVisibilityBatchCommand } = await import('@aws-sdk/client-sqs');
    const Entries = received.map(({ handle }, index) => ({
      Id: String(index),
      ReceiptHandle: handle,
      VisibilityTimeout: visibilitySeconds,
    }));
    await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queue, Entries }));
  };
  const timer = setInterval(() => {
    prolong().catch((error: unknown) => {
      deps.log.warn(`messages of ${source.name} could not be held; they come again`, { error });
    });
  }, visibilitySeconds * 300);
  return () => clearInterval(timer);
}

// False where the signal came first.
async function store({ accept, source, deps, signal }: Reception, received: Received[]): Promise<boolean> {
  const deliveries = received.map(({ id, body }) => ({
    delivery: id,
    event: 'message',
    body: Buffer.from(body),
  }));
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      await accept(deliveries);
      return true;
    } catch (error) {
      deps.log.warn(`${received.length} messages of ${source.name} cannot be stored now; they are held`, {
        error,
      });
    }
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

// What cannot be read goes to the dead-letter queue with the reason, or is left to the queue's own redrive. Where there is
// neither it is deleted as all others: it is in the log as failed, can be seen and replayed, and must not come for ever.
async function settle(reception: Reception, received: Received[]): Promise<void> {
  const { client, source, deps, keepsPoison } = reception;
  const { queue, deadLetterQueue } = source.settings;
  const { DeleteMessageBatchCommand } = await import('@aws-sdk/client-sqs');
  const done: Received[] = [];
  for (const message of received) {
    if (message.poison !== undefined) {
      deps.log.warn(`a message of ${source.name} cannot be read`, {
        message: message.id,
        reason: message.poison,
      });
      if (deadLetterQueue !== undefined) await putAside(client, message, source, deadLetterQueue);
      else if (keepsPoison) continue;
    }
    done.push(message);
  }
  if (done.length === 0) return;
  const Entries = done.map(({ handle }, index) => ({ Id: String(index), ReceiptHandle: handle }));
  const { Failed = [] } = await client.send(new DeleteMessageBatchCommand({ QueueUrl: queue, Entries }));
  for (const { Message, Code } of Failed)
    deps.log.warn(`a message of ${source.name} could not be deleted; it comes again`, {
      reason: Message ?? Code,
    });
}

async function putAside(
  client: SQSClient,
  { id, body, group, poison }: Received,
  source: Source<SqsSettings>,
  deadLetterQueue: string,
): Promise<void> {
  const { SendMessageCommand } = await import('@aws-sdk/client-sqs');
  const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
  const command = new SendMessageCommand({
    QueueUrl: deadLetterQueue,
    MessageBody: body,
    MessageAttributes: {
      AutocodeReason: attribute(poison!.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 500)),
      AutocodeSource: attribute(source.name),
      AutocodeMessageId: attribute(id),
    },
    ...(deadLetterQueue.endsWith('.fifo') && {
      MessageGroupId: group ?? source.name,
      MessageDeduplicationId: id,
    }),
  });
  await client.send(command).catch((error: unknown) => {
    throw queueTrouble(error, deadLetterQueue, source);
  });
}

// Who may not look is believed to have one: then nothing is deleted that could not be read.
async function redrives(client: SQSClient, { queue }: SqsSettings): Promise<boolean> {
  const { GetQueueAttributesCommand } = await import('@aws-sdk/client-sqs');
  const command = new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['RedrivePolicy'] });
  try {
    const { Attributes } = await client.send(command);
    return (Attributes?.RedrivePolicy ?? '') !== '';
  } catch (error) {
    if ((error as Error).name.startsWith('AccessDenied')) return true;
    throw error;
  }
}

async function look(client: SQSClient, queue: string, source: Source<SqsSettings>) {
  const { GetQueueAttributesCommand } = await import('@aws-sdk/client-sqs');
  const command = new GetQueueAttributesCommand({
    QueueUrl: queue,
    AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'RedrivePolicy'],
  });
  const name = `queue ${queue}`;
  try {
    const { Attributes = {} } = await client.send(command);
    const { ApproximateNumberOfMessages: waiting = '0', RedrivePolicy: redrive } = Attributes;
    const detail = `${waiting} messages wait; ${redrive ? 'it puts aside what comes too often' : 'it has no redrive policy'}`;
    return { name, ok: true, detail };
  } catch (error) {
    const trouble = queueTrouble(error, queue, source);
    return { name, ok: false, detail: `${trouble.message} ${trouble.remedy}` };
  }
}
