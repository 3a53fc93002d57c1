// A program that receives from a queue as the daemon does, and stops for good at one point, to be killed there. Used by the
// tests of queues: `node queue-receiver.ts received|stored DATABASE ENDPOINT QUEUE`.
import { Trust } from '../../protocol/intake.ts';
import { connect } from '../../orchestrator/db/connect.ts';
import { storeDelivery } from '../../orchestrator/intake/deliveries.ts';
import { sealer } from '../../orchestrator/intake/sealing.ts';
import { sqs } from '../../orchestrator/intake/sources/sqs.ts';
import { SqsSettings } from '../../orchestrator/intake/sources/sqs-settings.ts';
import type { SourceDeps } from '../../orchestrator/intake/source.ts';
import { CREDENTIALS } from './sqs.ts';

const [point, url = '', endpoint, queue] = process.argv.slice(2);
const settings = SqsSettings.parse({ queue, endpoint, region: 'eu-west-1', visibilitySeconds: 1 });
const source = { name: 'queue', kind: 'sqs' as const, project: 'shop', trust: Trust.parse({}), settings };
const db = connect({ url, poolSize: 1 });
const log = { info: () => {}, warn: () => {} };
// A queue needs no forge.
const deps = { db, log, secret: async () => await Promise.resolve(CREDENTIALS) } as unknown as SourceDeps;

const stop = async (): Promise<never> => {
  process.stdout.write('here\n');
  return await new Promise(() => setInterval(() => {}, 1000));
};
const accept: Parameters<NonNullable<typeof sqs.receive>>[1] = async (deliveries) => {
  if (deliveries.length === 0) return;
  if (point === 'received') await stop();
  for (const each of deliveries)
    await storeDelivery(db, sealer(Buffer.alloc(32, 7)), 'queue', { ...each, via: 'queue' });
  await stop();
};
await sqs.receive!(source, accept, deps, new AbortController().signal);
