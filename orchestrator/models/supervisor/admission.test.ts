import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalModel } from '../../../protocol/local-model.ts';
import { acquire, refuseWaiting, serve } from './admission.ts';
import type { Acquired } from './acquired.ts';
import { addReplica, newMember, type Fleet, type Member, type Replica } from './fleet.ts';

/** A fleet of one model, with replicas that are ready; nothing is loaded. */
function fleetOf(replicas: number, waitSeconds = 60): { fleet: Fleet; member: Member; pokes: () => number } {
  const member = newMember(LocalModel.parse({ name: 'coder', path: 'coder', sequences: 2 }));
  for (let index = 0; index < replicas; index++) ready(member, index);
  let pokes = 0;
  const fleet = {
    members: new Map([['coder', member]]),
    settings: { waitSeconds, loadSeconds: 60, residencySeconds: 0, stuckSeconds: 60 },
    stopping: new AbortController().signal,
    poke: () => void pokes++,
  } as Partial<Fleet> as Fleet; // admission works in memory alone
  return { fleet, member, pokes: () => pokes };
}

function ready(member: Member, index: number): Replica {
  const endpoint = `http://127.0.0.1:${index}`;
  const handle = { launch: crypto.randomUUID(), model: 'coder', endpoint, served: 'coder' };
  const placement = { gpus: [index], mib: 1000 };
  return addReplica(member, { launch: handle.launch, index, placement, state: 'ready', handle });
}

const signal = new AbortController().signal;
const wait = { wait: true, signal };
const settledOf = async (promise: Promise<unknown>) =>
  await Promise.race([promise.then(() => true), delay(10).then(() => false)]);

test('the least busy replica gets the request, and none more than it takes at a time', async () => {
  const { fleet } = fleetOf(2);
  const places = await Promise.all([1, 2, 3, 4].map(async () => await acquire(fleet, 'coder', wait)));
  assert.deepEqual(
    places.map(({ url }) => url.at(-1)),
    ['0', '1', '0', '1'],
  );
  await assert.rejects(acquire(fleet, 'coder', { wait: false, signal }), {
    code: 'ERR_ENGINE_BUSY',
    message: 'local/coder has as many requests as it takes (4).',
  });
});

test('a place that is given back goes to who has waited for longest, and counts once', async () => {
  const { fleet, member } = fleetOf(1);
  const [first] = await Promise.all([acquire(fleet, 'coder', wait), acquire(fleet, 'coder', wait)]);
  const order: string[] = [];
  const waiting = ['third', 'fourth'].map(async (name) => {
    const place = await acquire(fleet, 'coder', wait);
    order.push(name);
    return place;
  });
  assert.equal(member.waiting.length, 2);
  first.release();
  first.release();
  const third = await waiting[0]!;
  assert.equal(await settledOf(waiting[1]!), false);
  third.release();
  await waiting[1];
  assert.deepEqual(order, ['third', 'fourth']);
});

test('a client that goes away while it waits leaves the queue, and gets no place', async () => {
  const { fleet, member } = fleetOf(0);
  const client = new AbortController();
  const asked = acquire(fleet, 'coder', { wait: true, signal: client.signal });
  await delay(0);
  client.abort(new Error('gone'));
  await assert.rejects(asked, /gone/);
  assert.equal(member.waiting.length, 0);
  const replica = ready(member, 0);
  serve(fleet, member);
  assert.equal(replica.inFlight, 0);
});

test('nobody waits for longer than the settings say, and is told how far it is', async () => {
  const { fleet, pokes } = fleetOf(0, 0.02);
  await assert.rejects(acquire(fleet, 'coder', wait), {
    code: 'ERR_ENGINE_BUSY',
    message: /^local\/coder is not loaded; .*, and was waited for 0\.02 s\.$/,
    remedy: /model why coder/,
  });
  assert.ok(pokes() > 0, 'the loop was told that it is wanted');
});

test('a request that does not wait counts as demand all the same', async () => {
  const { fleet, member } = fleetOf(0);
  await assert.rejects(acquire(fleet, 'coder', { wait: false, signal }), { code: 'ERR_ENGINE_BUSY' });
  assert.ok(member.wanted !== null && member.wanted.until > Date.now() + 30_000);
});

test('a replica that is to go takes no more requests, and those that wait are refused with the reason', async () => {
  const { fleet, member } = fleetOf(1);
  member.replicas[0]!.draining = true;
  const asked = acquire(fleet, 'coder', wait);
  assert.equal(await settledOf(asked.catch((): Acquired | undefined => undefined)), false);
  refuseWaiting(member, new Error('the weights are gone'));
  await assert.rejects(asked, /weights are gone/);
});

test('a replica that did not answer is looked at now, and takes no requests meanwhile', async () => {
  const { fleet, member } = fleetOf(2);
  let looks = 0;
  member.replicas[0]!.look = () => void looks++;
  const place = await acquire(fleet, 'coder', wait);
  place.failed();
  place.release();
  assert.equal(looks, 1);
  assert.match((await acquire(fleet, 'coder', wait)).url, /:1$/);
});

test('an unknown model is refused with those that there are', async () => {
  const { fleet } = fleetOf(0);
  await assert.rejects(acquire(fleet, 'other', wait), {
    code: 'ERR_MODEL_UNKNOWN',
    remedy: 'Its models are coder.',
  });
});
