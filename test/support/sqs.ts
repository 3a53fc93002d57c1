// Real servers of queues for one test file, each on a port of its own: moto and ElasticMQ, as scripts/servers installs them.
// `await using server = await startQueues('moto')`.
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './ports.ts';

const SERVERS = path.resolve(import.meta.dirname, '../../.runtime/servers');
const START_MS = 120_000;
export const QUEUE_SERVERS = ['moto', 'elasticmq'] as const;
export type QueueServerName = (typeof QUEUE_SERVERS)[number];

/** What the servers take for credentials; they take any. */
export const CREDENTIALS = 'AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

export interface QueueServer {
  endpoint: string;
  region: string;
  client: SQSClient;
  /** A new queue; its address. `*.fifo` keeps the order. `deadLetter`: of the queue where it puts what was received `most` times. */
  queue(name: string, redrive?: { deadLetter: string; most: number }): Promise<string>;
  /** Ends it as a power cut does, with all its queues. */
  kill(): Promise<void>;
  /** Starts it again, empty, on its port. */
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a server that has no queue. */
export async function startQueues(name: QueueServerName): Promise<QueueServer> {
  const port = await freePort();
  const region = 'eu-west-1';
  const endpoint = `http://127.0.0.1:${port}`;
  const [accessKeyId = '', secretAccessKey = ''] = CREDENTIALS.split(':');
  const client = new SQSClient({ region, endpoint, credentials: { accessKeyId, secretAccessKey } });
  let child: ChildProcess | undefined;

  const start = async () => {
    const [program, ...args] = commandOf(name, port);
    const started = spawn('setpriv', ['--pdeathsig', 'KILL', program!, ...args], { stdio: 'ignore' });
    child = started;
    const address = name === 'moto' ? `${endpoint}/moto-api/data.json` : `${endpoint}/health`;
    for (const giveUp = performance.now() + START_MS; ; await delay(50)) {
      const up = await fetch(address, { signal: AbortSignal.timeout(5_000) }).then(
        ({ ok }) => ok,
        () => false,
      );
      if (up) return;
      if (started.exitCode !== null || performance.now() > giveUp) throw new Error(`${name} did not start`);
    }
  };
  const kill = async () => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    ending.kill('SIGKILL');
    await once(ending, 'exit');
  };
  const queue: QueueServer['queue'] = async (queueName, redrive) => {
    const Attributes: Record<string, string> = {};
    if (queueName.endsWith('.fifo')) Attributes.FifoQueue = 'true';
    if (redrive !== undefined) {
      const found = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: redrive.deadLetter, AttributeNames: ['QueueArn'] }),
      );
      const deadLetterTargetArn = found.Attributes?.QueueArn;
      Attributes.RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: redrive.most });
    }
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: queueName, Attributes }));
    return QueueUrl!;
  };
  try {
    await start();
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    endpoint,
    region,
    client,
    queue,
    kill,
    start,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await kill();
    },
  };
}

function commandOf(name: QueueServerName, port: number): string[] {
  if (name === 'moto')
    return [path.join(SERVERS, 'moto-5.2.5/bin/moto_server'), '-H', '127.0.0.1', '-p', String(port)];
  const settings = {
    'rest-sqs.bind-hostname': '127.0.0.1',
    'rest-sqs.bind-port': port,
    'node-address.host': '127.0.0.1',
    'node-address.port': port,
    'rest-stats.enabled': false,
  };
  return [
    'java',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Xmx128m',
    ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`),
    '-cp',
    path.join(SERVERS, 'elasticmq-1.7.1/lib/*'),
    'org.elasticmq.server.Main',
  ];
}
