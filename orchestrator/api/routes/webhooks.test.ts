import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { FORGE_KINDS, type ForgeKindName } from '../../../protocol/project.ts';
import { kindNamed } from '../../repos/forge/kinds.ts';
import { fileSecrets } from '../../secrets/file.ts';
import { testApi } from '../testing.ts';

const SECRET = 'hook-secret';
const BODY = Buffer.from('{ "a":  1 }');

async function rigged() {
  const forges = FORGE_KINDS.map((kind) => ({
    name: `my-${kind}`,
    kind,
    url: `https://${kind}.example.com`,
  }));
  const api = await testApi([`forges=${JSON.stringify(forges)}`]);
  const secrets = fileSecrets(join(api.directory, 'secrets'));
  for (const { name } of forges) await secrets.put(`webhook-${name}`, SECRET);
  return {
    deliveries: async () =>
      (await api.db.pool.query('select source, id from delivery order by source')).rows as unknown[],
    /** Delivers so; what is not said is right. */
    async deliver(
      kind: ForgeKindName,
      sent: { id?: string; secret?: string; body?: Buffer; forge?: string; drop?: string },
    ) {
      const { delivery, event, signature } = kindNamed(kind).webhook.headers;
      const secret = sent.secret ?? SECRET;
      const hmac = createHmac('sha256', secret).update(BODY).digest('hex');
      const signed = { gitea: hmac, github: `sha256=${hmac}`, gitlab: secret }[kind];
      const headers = { [delivery]: sent.id ?? 'd1', [event]: 'ping', [signature]: signed };
      const kept = Object.entries(headers).filter(([name]) => name !== sent.drop);
      const url = `/api/v1/webhooks/${kind}/${sent.forge ?? `my-${kind}`}`;
      const type = { 'content-type': 'application/json' };
      return await api.send(null, 'POST', url, sent.body ?? BODY, { ...type, ...Object.fromEntries(kept) });
    },
    [Symbol.asyncDispose]: async () => await api[Symbol.asyncDispose](),
  };
}

test('a delivery is taken by its secret, over its bytes as they came, and kept once', async () => {
  await using rig = await rigged();
  for (const kind of FORGE_KINDS) {
    for (const id of ['d1', 'd1', 'd2']) assert.equal((await rig.deliver(kind, { id })).status, 204, kind);
  }
  assert.equal((await rig.deliveries()).length, 6);
});

test('a delivery is refused whose secret is another, whose bytes were changed, or whose forge is another or none', async () => {
  await using rig = await rigged();
  const changed = Buffer.from('{ "a":  2 }');
  for (const kind of FORGE_KINDS) {
    const { signature } = kindNamed(kind).webhook.headers;
    const wrong = [
      { secret: 'another' },
      { drop: signature },
      { forge: 'nobody' },
      { forge: kind === 'gitea' ? 'my-github' : 'my-gitea' },
      ...(kind === 'gitlab' ? [] : [{ body: changed }]), // GitLab signs nothing
    ];
    for (const sent of wrong) {
      const { status, body } = await rig.deliver(kind, sent);
      assert.deepEqual(
        [status, body.error.code],
        [401, 'ERR_UNAUTHENTICATED'],
        JSON.stringify({ kind, sent }),
      );
    }
  }
  assert.deepEqual(await rig.deliveries(), []);
});

test('a delivery without its id or event, or of more than a mebibyte, is refused', async () => {
  await using rig = await rigged();
  for (const kind of FORGE_KINDS) {
    const { delivery, event } = kindNamed(kind).webhook.headers;
    for (const drop of [delivery, event]) assert.equal((await rig.deliver(kind, { drop })).status, 400, drop);
    assert.equal((await rig.deliver(kind, { body: Buffer.alloc(1024 * 1024 + 1) })).status, 413);
  }
  assert.deepEqual(await rig.deliveries(), []);
});
