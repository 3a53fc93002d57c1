// The part of the conformance suite of forges that needs all of the product: a result becomes a change there, and the
// webhook of its merge is taken from the forge alone, and once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '../../protocol/change.ts';
import type { ApiContext } from '../../orchestrator/api/context.ts';
import { buildApi } from '../../orchestrator/api/server.ts';
import { loadConfig } from '../../orchestrator/config/load.ts';
import { KINDS } from '../../orchestrator/repos/forge/kinds.ts';
import { forgeRig } from './forge-rig.ts';
import type { ForgeRig } from './forge-rig.ts';
import type { Delivery, Seat } from './forge-seat.ts';

const SECRET = 'hook-secret'; // as the rig has it
const PATIENCE_MS = 60_000;

/** Registers it for one kind of forge; `seat` is asked for when it runs. */
export function webhookConformance(seat: () => Seat): void {
  test('a result becomes a change whose merge is told by the webhook, in a delivery that is its own, and once', async () => {
    await using rig = await forgeRig({ url: seat().url, botToken: seat().token });
    const change = await mergedChange(rig, seat());
    await using api = await openApi(rig);
    const send = async (sent: Delivery, to = `${seat().kind.name}/${change.forge}`) =>
      await api.send(sent, to);
    const looks = () => rig.line.seen.length;
    const { kind, signsBody, delivery } = seat();
    const own = (id: string) => delivery(id, SECRET, change.number!, change.branch);
    const without = (header: string, { headers, body }: Delivery) => ({
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== header)),
      body,
    });
    const { signature, delivery: idHeader } = kind.webhook.headers;
    const other = KINDS.find(({ name }) => name !== kind.name)!;
    const table: [string, number, Delivery, string?][] = [
      ['another secret', 401, delivery('1', 'x', change.number!, change.branch)],
      ['no signature', 401, without(signature, own('2'))],
      ['no id', 400, without(idHeader, own('3'))],
      ['more than 1 MiB', 413, { ...own('4'), body: Buffer.alloc(1024 * 1024 + 1, ' ') }],
      ['an unknown forge', 401, own('5'), `${kind.name}/unknown`],
      ['another kind of forge', 400, own('6'), `${other.name}/${change.forge}`],
      ['something else', 204, delivery('7', SECRET, 4711, 'main')],
    ];
    if (signsBody) {
      const { headers, body } = own('8');
      table.push(['one byte changed', 401, { headers, body: Buffer.concat([body, Buffer.from(' ')]) }]);
    }
    const before = looks();
    for (const [what, status, sent, to] of table) assert.equal(await send(sent, to), status, what);
    assert.equal(looks(), before, 'a delivery that does not count makes nobody look');
    assert.equal(await send(own('9')), 204);
    await untilMerged(rig, change.task);
    await rig.db.query(`update change set state = 'open' where id = $1`, [change.id]);
    assert.equal(await send(own('9')), 204);
    assert.equal((await rig.changeOf(change.task)).state, 'open');
    assert.deepEqual(rig.troubles, []);
  });
}

// A change that a person has merged at the forge, of which nobody knows yet.
async function mergedChange(rig: ForgeRig, seat: Seat): Promise<Change> {
  const path = await seat.repository('webhooks');
  const project = await rig.project('webhooks', {
    repository: `${rig.line.url}/${path}.git`,
    labels: ['robot'],
    forge: { url: rig.line.url, token: seat.token, webhookSecret: SECRET },
  });
  const { run, task } = await rig.done(project, 'Fix the sum', { 'a.txt': 'a\n' });
  await rig.submit(run);
  const change = await rig.changeOf(task);
  assert.deepEqual([change.state, (await seat.requests(path))[0]?.labels], ['open', ['robot']]);
  await seat.mergeRequest(path, change.number!);
  return change;
}

// It is looked at after the answer.
async function untilMerged(rig: ForgeRig, task: number): Promise<void> {
  for (const giveUp = performance.now() + PATIENCE_MS; ; await delay(20)) {
    const { state } = await rig.changeOf(task);
    if (state === 'merged') return;
    assert.ok(performance.now() < giveUp, `the change is ${state} still: ${rig.troubles.join('; ')}`);
  }
}

async function openApi(rig: ForgeRig) {
  const { config } = loadConfig({ env: {}, set: [`dataDir=${rig.shop.dir}/data`] });
  const log = { warn: () => {}, error: () => {} };
  const app = await buildApi({ ...rig, config, log } as unknown as ApiContext, '0.0.0');
  return {
    send: async ({ headers, body }: Delivery, to: string) => {
      const content = { ...headers, 'content-type': 'application/json' };
      const request = {
        method: 'POST',
        url: `/api/v1/webhooks/${to}`,
        headers: content,
        payload: body,
      } as const;
      return (await app.inject(request)).statusCode;
    },
    [Symbol.asyncDispose]: async () => await app.close(),
  };
}
