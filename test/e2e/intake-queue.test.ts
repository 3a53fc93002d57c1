// Work from a queue in a whole Autocode: a ticket in SQS becomes a run and a change, also when the queue was away meanwhile; what
// cannot be read is put aside and told.
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Task } from '../../protocol/task.ts';
import { CREDENTIALS, startQueues, type QueueServer } from '../support/sqs.ts';
import { eventually, startAppliance, type Appliance } from './appliance.ts';

const PATIENCE_MS = 180_000;

let server: QueueServer;
let appliance: Appliance;
before(async () => {
  server = await startQueues('elasticmq');
  appliance = await startAppliance();
});
after(async () => {
  await appliance?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

test('a ticket in a queue becomes a change, and so does one that comes after the queue was away', async () => {
  await appliance.project('shop', { agent: 'echo 42 > answer' });
  const [queue, deadLetterQueue] = [await server.queue('work'), await server.queue('dead')];
  const { endpoint, region } = server;
  await appliance.api('POST', '/intake/sources', {
    name: 'tickets',
    kind: 'sqs',
    project: 'shop',
    secret: CREDENTIALS,
    settings: { queue, deadLetterQueue, endpoint, region },
  });
  const send = async (body: string) =>
    await server.client.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: body }));
  const ticket = (id: string) =>
    JSON.stringify({ type: 'ticket', id, title: `Ticket ${id}`, body: 'The answer is wrong.' });
  const completed = async (title: string) =>
    await eventually(
      async () => {
        const tasks = await appliance.api<Task[]>('GET', '/tasks?project=shop');
        const found = tasks.filter((task) => task.title === title);
        assert.ok(found.length <= 1, 'one task');
        assert.ok(!['failed', 'cancelled'].includes(found[0]?.state ?? ''), found[0]?.reason ?? '');
        return found[0]?.state === 'completed' ? found[0] : undefined;
      },
      `${title} to be done`,
      PATIENCE_MS,
    );
  const trouble = async () =>
    (await appliance.api<{ trouble: string | null }>('GET', '/intake/sources/tickets')).trouble;

  await send(ticket('T-1'));
  const first = await completed('Ticket T-1');
  assert.deepEqual([first.source, (await appliance.changes('shop')).length], [null, 1]);

  await send('{"type": "ticket"');
  const dead = await eventually(
    async () => {
      const ask = new ReceiveMessageCommand({ QueueUrl: deadLetterQueue, WaitTimeSeconds: 1 });
      return (await server.client.send(ask)).Messages?.[0];
    },
    'what cannot be read to be put aside',
    PATIENCE_MS,
  );
  assert.equal(dead.Body, '{"type": "ticket"');
  await eventually(
    async () => (await appliance.api<object[]>('GET', '/events?kind=intake.failed'))[0],
    'the event of it',
    PATIENCE_MS,
  );

  await server.kill();
  await eventually(async () => (await trouble()) ?? undefined, 'the queue to be missed', PATIENCE_MS);
  await server.start();
  await Promise.all([server.queue('work'), server.queue('dead')]);
  await send(ticket('T-1'));
  await send(ticket('T-2'));
  await completed('Ticket T-2');
  assert.equal(await trouble(), null);
  assert.equal((await appliance.api<Task[]>('GET', '/tasks?project=shop')).length, 2);
});
