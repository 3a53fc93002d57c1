// Intake from queues, against two servers that speak as SQS does, with the AWS SDK on both sides: moto and ElasticMQ.
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Trust } from '../../protocol/intake.ts';
import { listDeliveries } from '../../orchestrator/intake/log.ts';
import { puller, type PullDeps } from '../../orchestrator/intake/pull.ts';
import { addSource, listSources } from '../../orchestrator/intake/sources.ts';
import { intakeRig, type Rig } from '../../orchestrator/intake/testing.ts';
import { startForwarder } from '../support/queue-forwarder.ts';
import { CREDENTIALS, QUEUE_SERVERS, startQueues, type QueueServer } from '../support/sqs.ts';

const PATIENCE_MS = 90_000;
const fixture = (name: string) =>
  readFileSync(path.join(import.meta.dirname, '../../orchestrator/intake/sources/fixtures', name), 'utf8');
const SNS = fixture('alarm-sns.json');
const RAW = (JSON.parse(SNS) as { Message: string }).Message;
const EVENT = fixture('alarm-eventbridge.json');
const CHANGED = '2026-01-12T16:30:42.236';

const alarmAt = (second: number, state: string, more: object = {}) =>
  JSON.stringify({
    ...(JSON.parse(RAW) as object),
    NewStateValue: state,
    StateChangeTime: `${CHANGED.slice(0, -6)}${String(second).padStart(2, '0')}.000+0000`,
    ...more,
  });
const ticket = (id: string) =>
  JSON.stringify({ type: 'ticket', id, title: `Ticket ${id}`, body: 'It is slow.' });

async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  for (const giveUp = performance.now() + PATIENCE_MS; !(await condition()); await delay(50))
    if (performance.now() > giveUp) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
}

suite('queues', { concurrency: true }, () => {
  for (const name of QUEUE_SERVERS) {
    suite(`queues of ${name}`, { concurrency: 3 }, () => {
      let server: QueueServer;
      let queues = 0;
      before(async () => {
        server = await startQueues(name);
      });
      after(async () => {
        await server?.[Symbol.asyncDispose]();
      });

      /** A rig whose source `queue` asks a queue of its own, as the daemon's chores do. */
      async function receiving(
        settings: object = {},
        redrive?: { deadLetter: string; most: number },
        suffix = '',
      ): Promise<
        Rig & {
          queue: string;
          start(): void;
          send(...bodies: string[]): Promise<void>;
          /** Waits until messages were stored so many times, and the queue is empty. */
          stored(times: number): Promise<void>;
        }
      > {
        const rig = await intakeRig();
        const queue = await server.queue(`queue-${++queues}${suffix}`, redrive);
        const stop = new AbortController();
        await rig.secrets.put('intake-queue', CREDENTIALS);
        await addSource(
          { db: rig.deps.db, secrets: rig.secrets },
          {
            name: 'queue',
            kind: 'sqs',
            project: 'shop',
            trust: Trust.parse({}),
            settings: {
              queue,
              endpoint: server.endpoint,
              region: server.region,
              visibilitySeconds: 2,
              ...settings,
            },
          },
          'me',
        );
        const { db, sealer } = rig.deps;
        const log = { info: () => {}, warn: () => {} };
        const secret = async (wanted: string) => (await rig.secrets.get(wanted))!.value;
        const pull = puller({ db, sealer, log, secret } as unknown as PullDeps); // a queue needs no forge
        return {
          ...rig,
          queue,
          start: () => void pull.look(stop.signal),
          send: async (...bodies) => {
            for (const [index, MessageBody] of bodies.entries()) {
              const ordered = { MessageGroupId: 'all', MessageDeduplicationId: String(index) };
              await server.client.send(
                new SendMessageCommand({ QueueUrl: queue, MessageBody, ...(suffix === '.fifo' && ordered) }),
              );
            }
          },
          // A server that counts what waits and what is under way one after the other may find nothing of a message that comes
          // back in between: so the ledger is looked at first.
          stored: async (times) => {
            await until(`${times} were stored`, async () => {
              await rig.work();
              const { rows } = await db.query<{ stored: number }>(
                `select coalesce(sum(repeats + 1), 0)::int as stored from intake_delivery where state <> 'waiting'`,
              );
              return rows[0]!.stored >= times;
            });
            await until('the queue is empty', async () => (await waitingIn(queue)) === 0);
            await rig.work();
          },
          [Symbol.asyncDispose]: async () => {
            stop.abort();
            await pull.settled();
            await rig[Symbol.asyncDispose]();
          },
        };
      }

      async function waitingIn(queue: string): Promise<number> {
        const { Attributes = {} } = await server.client.send(
          new GetQueueAttributesCommand({
            QueueUrl: queue,
            AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
          }),
        );
        return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0);
      }

      test('an alarm in three shapes, repeated, and a ticket are one task each; a subscription is told', async () => {
        await using rig = await receiving();
        await rig.send(SNS, RAW, ticket('T-1'), EVENT, SNS, ticket('T-1'), fixture('sns-subscription.json'));
        rig.start();
        await rig.stored(7);
        const { rows } = await rig.deps.db.query('select title, kind from task order by kind');
        assert.deepEqual(rows, [
          { title: 'Ticket T-1', kind: 'change' },
          { title: 'Alarm ServerCpuTooHigh', kind: 'investigate' },
        ]);
        const verdicts = await rig.verdicts();
        assert.deepEqual(verdicts.toSorted(), [
          'created',
          'created',
          'duplicate',
          'duplicate',
          'duplicate',
          'duplicate',
          'ignored',
        ]);
        const deliveries = await listDeliveries(rig.deps.db, { limit: 100 });
        assert.equal(deliveries.length, 7);
        assert.ok(deliveries.every(({ via, state }) => via === 'queue' && state === 'done'));
      });

      test('states count in the order in which they came to be, in whichever they arrive', async () => {
        await using rig = await receiving();
        rig.start();
        const steps: [string, string][] = [
          [alarmAt(20, 'ALARM'), 'created'],
          [alarmAt(10, 'OK'), 'ignored'], // of before the alarm
          [alarmAt(30, 'OK'), 'appended'],
          [alarmAt(25, 'ALARM'), 'ignored'],
          [alarmAt(40, 'INSUFFICIENT_DATA'), 'ignored'],
          [alarmAt(35, 'ALARM'), 'appended'],
          [alarmAt(30, 'OK', { AlarmName: 'Other', AlarmArn: undefined }), 'ignored'], // overtakes its ALARM
          [alarmAt(29, 'ALARM', { AlarmName: 'Other', AlarmArn: undefined }), 'ignored'],
        ];
        for (const [count, [body]] of steps.entries()) {
          await rig.send(body);
          await until(`step ${count}`, async () => {
            await rig.work();
            return (await rig.verdicts()).length === count + 1;
          });
        }
        assert.deepEqual(
          await rig.verdicts(),
          steps.map(([, verdict]) => verdict),
        );
        assert.equal((await rig.tasks()).length, 1);
      });

      test('what cannot be read goes to the dead-letter queue with the reason, and holds up nothing', async () => {
        const deadLetterQueue = await server.queue(`dead-${++queues}`);
        await using rig = await receiving({ deadLetterQueue });
        await rig.send('hello', ticket('T-2'), '{"type":"ticket"}');
        rig.start();
        await rig.stored(3);
        assert.equal((await rig.tasks()).length, 1);
        const dead: (string | undefined)[] = [];
        await until('both are there', async () => {
          const { Messages = [] } = await server.client.send(
            new ReceiveMessageCommand({
              QueueUrl: deadLetterQueue,
              MaxNumberOfMessages: 10,
              MessageAttributeNames: ['All'],
              VisibilityTimeout: 600,
            }),
          );
          for (const { Body, MessageAttributes } of Messages)
            dead.push(`${Body}: ${MessageAttributes?.AutocodeReason?.StringValue}`);
          return dead.length >= 2;
        });
        assert.ok(dead.includes('hello: the message is no JSON'));
        assert.match(
          dead.find((each) => each?.startsWith('{')) ?? '',
          /^\{"type":"ticket"\}: the ticket is not as it should be/,
        );
        const failed = await listDeliveries(rig.deps.db, { limit: 100, state: 'failed' });
        assert.equal(failed.length, 2);
        const { rows } = await rig.deps.db.query(
          `select count(*)::int as count from event where kind = 'intake.failed'`,
        );
        assert.deepEqual(rows, [{ count: 2 }]);
      });

      test("without one it is left to the queue's own redrive, and deleted where there is none", async () => {
        const deadLetter = await server.queue(`dead-${++queues}`);
        await using left = await receiving({ visibilitySeconds: 1 }, { deadLetter, most: 2 });
        await left.send('hello', ticket('T-3'));
        left.start();
        await until('the queue has put it aside', async () => (await waitingIn(deadLetter)) === 1);
        await left.stored(3);
        await using deleted = await receiving();
        await deleted.send('hello');
        deleted.start();
        await deleted.stored(1);
        for (const rig of [left, deleted])
          assert.equal((await listDeliveries(rig.deps.db, { limit: 9, state: 'failed' })).length, 1);
      });

      test('queues that keep the order go on too, past what cannot be read', async () => {
        const deadLetterQueue = await server.queue(`dead-${++queues}.fifo`);
        await using rig = await receiving({ deadLetterQueue }, undefined, '.fifo');
        await rig.send(ticket('T-6'), 'hello', ticket('T-7'));
        rig.start();
        await rig.stored(3);
        assert.equal((await rig.tasks()).length, 2);
        assert.equal(await waitingIn(deadLetterQueue), 1);
      });

      for (const point of ['received', 'stored']) {
        test(`who is killed when a message is ${point} leaves it for the next, and it is one task`, async () => {
          await using rig = await receiving();
          await rig.send(SNS);
          const program = path.join(import.meta.dirname, '../support/queue-receiver.ts');
          const child = spawn(process.execPath, [program, point, rig.db.url, server.endpoint, rig.queue], {
            stdio: ['ignore', 'pipe', 'inherit'],
          });
          try {
            const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
            assert.equal(String(said), 'here\n');
          } finally {
            const ended = child.exitCode === null ? once(child, 'exit') : undefined;
            child.kill('SIGKILL');
            await ended;
          }
          rig.start();
          await rig.stored(point === 'stored' ? 2 : 1);
          assert.deepEqual(await rig.verdicts(), ['created']);
          assert.equal((await listDeliveries(rig.deps.db, { limit: 9 })).length, 1);
        });
      }

      test('messages stay ours while the database is away, and count as received once', async () => {
        await using forwarder = await startForwarder(server.endpoint);
        const deadLetter = await server.queue(`dead-${++queues}`);
        await using rig = await receiving(
          { endpoint: forwarder.url, visibilitySeconds: 4 },
          { deadLetter, most: 1 },
        );
        await rig.deps.db.query('alter table intake_delivery add constraint away check (false)');
        await rig.send(ticket('T-4'));
        rig.start();
        const held = () => forwarder.asked.filter((what) => what === 'ChangeMessageVisibilityBatch').length;
        await until('it is held', () => held() >= 2);
        assert.ok(!forwarder.asked.includes('DeleteMessageBatch'));
        await rig.deps.db.query('alter table intake_delivery drop constraint away');
        await rig.stored(1);
        assert.deepEqual(await rig.verdicts(), ['created']);
        assert.equal(await waitingIn(deadLetter), 0);
      });

      test('a queue that is away is told with its source, and gone on with when it is back', async () => {
        await using forwarder = await startForwarder(server.endpoint);
        await using rig = await receiving({ endpoint: forwarder.url });
        const trouble = async () => (await listSources(rig.deps.db))[0]!.trouble;
        forwarder.away = true;
        rig.start();
        await until('it is told', async () => (await trouble()) !== null);
        assert.match((await trouble()) ?? '', /queue .*queue-\d+ cannot be asked/);
        await rig.send(ticket('T-5'));
        forwarder.away = false;
        await rig.stored(1);
        assert.deepEqual(await rig.verdicts(), ['created']);
        assert.equal(await trouble(), null);
      });
    });
  }
});
