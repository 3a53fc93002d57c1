// A run whose agent asks for what it may have and for what it may not: the whole way, from the command line to the pull request's text.
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { MITMDUMP, openServers } from '../support/egress-rig.ts';
import { startAppliance } from './appliance.ts';

const KEY = 'k3y-Of-the-Api-0815';

test('an agent reaches what the policy allows; what it does not is told with the run, in the change and in the records', async () => {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-outside-')));
  const seen: (string | undefined)[] = [];
  const keys: (string | undefined)[] = [];
  const servers = await openServers(directory, (request, response) => {
    seen.push(request.url);
    keys.push(request.headers.authorization);
    response.end('42\n');
  });
  try {
    await using appliance = await startAppliance(
      'egress.proxy=true',
      `egress.program=${MITMDUMP}`,
      `egress.upstreamCa=${servers.trust}`,
    );
    const place = (name: string) => `https://localhost:${servers.secure}/${name}`;
    await appliance.project('shop', {
      agent: `export NO_PROXY= no_proxy=; curl -sS -H "Authorization: Bearer $API_KEY" ${place('answer')} > answer; curl -sS "${place('answer')}?key=$API_KEY"; curl -sS ${place('forbidden')}; env | grep -c ac_egress_ || true`,
    });
    await appliance.api('PATCH', '/projects/shop', { isolation: 'bubblewrap' });
    const rule = `method=GET host=localhost:${servers.secure} address=127.0.0.1 path=/answer`;
    await appliance.autocode('egress', 'policy', 'allow', rule, '--project', 'shop');
    await appliance.api('PUT', '/secrets/api-key', { value: KEY });
    const host = `localhost:${servers.secure}`;
    await appliance.autocode(
      'secret',
      'bind',
      'api-key',
      '--host',
      host,
      '--as',
      'bearer',
      '--env',
      'API_KEY',
    );
    assert.match(
      await appliance.autocode('secret', 'bindings'),
      /api-key +all +host=localhost:\d+ +bearer +API_KEY/,
    );
    const task = await appliance.task('shop');
    assert.equal((await appliance.ended(task)).state, 'completed');
    assert.deepEqual([seen, keys], [['/answer'], [`Bearer ${KEY}`]]);
    const log = await appliance.autocode('task', 'logs', String(task));
    assert.match(
      log,
      /the placeholder of the secret api-key stands in the address, where no binding lets it go/,
    );
    assert.ok(!log.includes(KEY));
    assert.match(log, /forbidden was refused: no rule of the egress policy allows it/);
    const shown = await appliance.autocode('run', 'show', `${task}-1`);
    assert.match(
      shown,
      /GET https:\/\/localhost:\d+\/forbidden +1 +execute +allow method=GET,HEAD host=localhost:\d+ path=\/forbidden/,
    );
    assert.match(
      await appliance.autocode('secret', 'leases', '--all'),
      new RegExp(`${task}-1 +api-key +1 .* ended `),
    );
    const misused = await appliance.autocode('events', '--kind', 'secret.misused');
    assert.match(misused, /api-key/);
    const [change] = await appliance.changes('shop');
    assert.match(
      change?.body ?? '',
      /## Not allowed[^]+`GET https:\/\/localhost:\d+\/forbidden` during `execute`; a rule that would allow it: `allow method/,
    );
    const csv = await appliance.autocode('traffic', 'export', '--format', 'csv', '--run', `${task}-1`);
    assert.match(csv, /,allowed,.*\n|,denied,.*\n/);
    assert.equal(csv.trim().split('\n').length, 4);
    assert.match(
      await appliance.autocode('traffic', 'report', '--by', 'decision'),
      /^denied +2 +2 .*\nallowed +1 +0 /m,
    );
    const card = { number: '4242424242424242', expiry: '04/29', cvc: '731', holder: 'Ann Lee' };
    await appliance.api('PUT', '/secrets/payments%2Fcard_primary', { value: JSON.stringify(card) });
    const order = path.join(directory, 'order.json');
    writeFileSync(order, '{"card": "{{card.number}}"}\n');
    const pay = `method=POST host=${host} address=127.0.0.1 path=/pay`;
    await appliance.autocode('egress', 'policy', 'allow', pay);
    const words = ['--body', order, '--amount', '12', '--memo', 'a domain'];
    assert.match(await appliance.autocode('purchase', 'propose', place('pay'), ...words), /proposed/);
    assert.match(await appliance.autocode('purchase', 'approve', '1'), /1 +paid .* 200 42/);
    assert.equal(seen.at(-1), '/pay');
    assert.match(await appliance.autocode('ledger', 'list'), /purchase .*12.* appliance +card:4242/);
    assert.match(await appliance.autocode('egress', 'list'), /purchase/);
    assert.match(await appliance.autocode('status'), /egress +ok +proxy at http:\/\/127\.0\.0\.1:\d+/);
  } finally {
    servers.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
