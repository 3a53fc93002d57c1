// Purchases from proposal to ledger, against a payee over TLS: sent once or never, within budget and policy, and no number anywhere.
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import { openServers } from '../../test/support/egress-rig.ts';
import { setBudget } from '../budget/budgets.ts';
import { verifyLedger } from '../budget/ledger.ts';
import { transaction } from '../db/connect.ts';
import { setPolicy } from '../egress/policy/store.ts';
import { fileSecrets } from '../secrets/file.ts';
import { checkBody } from './body.ts';
import { pay, type Till } from './execute.ts';
import { abandonPurchases, findPurchase, listPurchases, propose, reject, settle } from './states.ts';

const NUMBER = '4242424242424242';
const BOOKS = { currency: 'USD', timeZone: 'UTC' };
const BODY = '{"pan": "{{card.number}}", "name": "{{card.holder}}", "cvc": "{{card.cvc}}", "sum": 12}';

let database: TestDatabase;
let servers: Awaited<ReturnType<typeof openServers>>;
let till: Till;
const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-purchases-')));
const secrets = fileSecrets(path.join(directory, 'secrets'));
const came: { body: string; key: string | undefined; type: string | undefined }[] = [];
let reply: (request: IncomingMessage, response: ServerResponse) => void;

before(async () => {
  database = await testDatabase();
  servers = await openServers(directory, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      came.push({
        body,
        key: String(request.headers['idempotency-key']),
        type: request.headers['content-type'],
      });
      reply(request, response);
    });
  });
  till = { db: database.pool, secrets, books: BOOKS, presets: new Map(), authorities: servers.trust };
  const text = `allow method=POST host=localhost:${servers.secure} address=127.0.0.1 path=/pay`;
  await transaction(database.pool, async (tx) => {
    await setPolicy(tx, new Map(), null, { text, dryRun: false }, 'test');
    await setBudget(
      tx,
      { scope: 'appliance', subject: '', period: 'month', unit: 'money', amount: 50_000_000 },
      'test',
    );
  });
  const card = { number: NUMBER, expiry: '04/29', cvc: '731', holder: 'Ann "A" Lee' };
  await secrets.put('payments/card_primary', JSON.stringify(card));
});
after(async () => {
  servers?.close();
  await database?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  came.length = 0;
  reply = (_, response) => response.end('{"order": 7}');
});

async function proposed(more: object = {}) {
  const url = `https://localhost:${servers.secure}/pay`;
  const proposal = {
    url,
    contentType: 'application/json',
    body: BODY,
    amount: 12_000_000,
    memo: 'a domain',
    ...more,
  } as const;
  return await transaction(database.pool, async (tx) => await propose(tx, proposal, null, 'bob'));
}

const spent = async () =>
  Number(
    (
      await database.pool.query(
        `select coalesce(sum(money), 0) as sum from account_day where scope = 'appliance'`,
      )
    ).rows[0].sum,
  );
const entries = async () =>
  (
    await database.pool.query(
      `select debit, credit, amount::int from ledger_entry where kind = 'purchase' order by seq`,
    )
  ).rows;

test('an approved purchase is sent with the card, counted and entered; nobody else sees a number', async () => {
  const purchase = await proposed();
  assert.equal(purchase.state, 'proposed');
  reply = (_, response) => response.end(`thanks, 4242 4242 4242 4242 of Ann "A" Lee`);
  const paid = await pay(till, purchase, 'ann');
  assert.deepEqual([paid.state, paid.status, paid.decidedBy], ['paid', 200, 'ann']);
  assert.equal(paid.reason, 'thanks, [redacted] of [redacted]');
  assert.deepEqual(JSON.parse(came[0]!.body), { pan: NUMBER, name: 'Ann "A" Lee', cvc: '731', sum: 12 });
  assert.deepEqual([came[0]!.key, came[0]!.type], [purchase.entry, 'application/json']);
  assert.deepEqual(await entries(), [{ debit: 'appliance', credit: 'card:4242', amount: 12_000_000 }]);
  assert.equal(await spent(), 12_000_000);
  assert.equal((await verifyLedger(database.pool)).wrong, null);
  for (const table of ['purchase', 'event', 'ledger_entry', 'egress_record']) {
    const { rows } = await database.pool.query(`select t::text as text from ${table} t`);
    assert.ok(rows.length > 0 && rows.every(({ text }) => !String(text).includes(NUMBER)), table);
  }
  await assert.rejects(pay(till, purchase, 'ann'), { code: 'ERR_STATE' });
  assert.equal(came.length, 1);
});

test('of two who approve at once one pays', async () => {
  const purchase = await proposed({ amount: 1_000_000 });
  const both = await Promise.allSettled([pay(till, purchase, 'ann'), pay(till, purchase, 'eve')]);
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  assert.equal(came.length, 1);
});

test('beyond the budget, against the policy, without a card or after a rejection nothing is sent', async () => {
  const before = await spent();
  const dear = await proposed({ amount: 49_000_000 });
  await assert.rejects(pay(till, dear, 'ann'), {
    code: 'ERR_BUDGET',
    message: /budget of the appliance leaves/,
  });
  const elsewhere = await proposed({ url: `https://localhost:${servers.secure}/other` });
  await assert.rejects(pay(till, elsewhere, 'ann'), { code: 'ERR_EGRESS_DENIED' });
  const coins = await proposed({ body: '{{wallet.TON.key}}' });
  await assert.rejects(pay(till, coins, 'ann'), { code: 'ERR_SECRET' });
  const unwanted = await proposed();
  await transaction(database.pool, async (tx) => await reject(tx, unwanted.id, 'ann'));
  await assert.rejects(pay(till, unwanted, 'ann'), { code: 'ERR_STATE' });
  await assert.rejects(findPurchase(database.pool, 9_999), { code: 'ERR_NOT_FOUND' });
  assert.deepEqual([came.length, await spent()], [0, before]);
  assert.equal((await findPurchase(database.pool, dear.id)).state, 'proposed');
});

test('a payee that refuses, or is not there, gives the budget back', async () => {
  const before = await spent();
  reply = (_, response) => response.writeHead(402).end('no');
  const refused = await pay(till, await proposed(), 'ann');
  assert.deepEqual([refused.state, refused.status, refused.reason], ['failed', 402, 'no']);
  const unknown = await pay({ ...till, authorities: undefined }, await proposed(), 'ann');
  assert.equal(unknown.state, 'failed');
  assert.match(unknown.reason ?? '', /^nothing was sent: /);
  assert.deepEqual([came.length, await spent(), (await entries()).length], [1, before, 2]);
});

test('what was sent without an answer is unknown, counts, and is settled by a person, once', async () => {
  const before = await spent();
  reply = (request) => request.socket.destroy();
  const lost = await pay(till, await proposed({ amount: 2_000_000 }), 'ann');
  assert.equal(lost.state, 'unknown');
  reply = (_, response) => response.writeHead(503).end();
  const broken = await pay(till, await proposed({ amount: 3_000_000 }), 'ann');
  assert.deepEqual([broken.state, broken.status], ['unknown', 503]);
  assert.equal(await spent(), before + 5_000_000);
  const resolve = async (id: number, state: 'paid' | 'failed') =>
    await transaction(
      database.pool,
      async (tx) => await settle(tx, id, 'unknown', { state, status: null, reason: 'seen' }, BOOKS),
    );
  assert.equal((await resolve(lost.id, 'failed')).state, 'failed');
  assert.equal((await resolve(broken.id, 'paid')).state, 'paid');
  await assert.rejects(resolve(broken.id, 'paid'), { code: 'ERR_STATE' });
  assert.equal(await spent(), before + 3_000_000);
  assert.deepEqual((await entries()).at(-1), { debit: 'appliance', credit: 'payments', amount: 3_000_000 });
});

test('one that was being sent when the process ended is unknown after it, and is never sent again', async () => {
  const purchase = await proposed({ amount: 1_000_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  reply = () => resolve(); // no answer: as if this process were killed here
  const paying = pay(till, purchase, 'ann');
  await promise;
  assert.equal(await transaction(database.pool, abandonPurchases), 1);
  const [found] = await listPurchases(database.pool, 'unknown', 10);
  assert.deepEqual(
    [found?.id, found?.reason],
    [purchase.id, 'the orchestrator ended while it was being sent'],
  );
  await assert.rejects(pay(till, purchase, 'ann'), { code: 'ERR_STATE' });
  servers.close();
  await assert.rejects(paying, { code: 'ERR_STATE' }); // whoever comes late settles nothing
  assert.equal(came.length, 1);
});

test('a body names places that there are, at least one', () => {
  for (const body of [BODY, 'a={{card.number}}&b={{wallet.TON.address}}']) checkBody(body);
  for (const body of ['{}', '{{card.pin}}', '{{card.number}} {{secret}}', '{{}}'])
    assert.throws(() => checkBody(body), { code: 'ERR_INVALID_INPUT' }, body);
});
