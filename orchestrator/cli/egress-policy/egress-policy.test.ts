import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { testApi, type TestApi } from '../../api/testing.ts';
import { egressPlaces } from '../../egress/places.ts';
import { runCli } from '../testing/run-cli.ts';

let api: TestApi;
let url = '';
let env: Record<string, string>;
let directory = '';

before(async () => {
  api = await testApi();
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  env = { AUTOCODE_URL: url, AUTOCODE_TOKEN: await api.token('admin') };
  directory = await mkdtemp(join(tmpdir(), 'autocode-egress-cli-'));
  await api.db.pool.query(`insert into project (name, verify, limits) values ('shop', '[]', '{}')`);
});
after(async () => {
  await api[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const policy = async (...words: string[]) => await runCli(['egress', 'policy', ...words], { env });

test('rules are added, shown, tried and removed', async () => {
  const added = await policy('allow', '# not a rule');
  assert.equal(added.code, 2);
  const allowed = await policy('allow', 'preset npm', 'method=POST host=api.example path=/v1/**');
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.match(allowed.stdout, /^\+ allow method=GET,HEAD host=registry\.npmjs\.org$/m);
  assert.match(allowed.stdout, /^Version \d+ of the policy of the installation holds\.$/m);
  await policy('allow', 'host=shop.example project=shop', '--project', 'shop');

  const shown = await policy('show');
  assert.match(shown.stderr, /^The policy of the installation is version \d+, by admin/);
  assert.equal(shown.stdout, 'preset npm\nallow method=POST host=api.example path=/v1/**\n');
  const effective = await policy('show', '--effective', '--project', 'shop');
  assert.match(effective.stdout, /^allow host=shop\.example project=shop$/m);

  const yes = await policy('test', 'https://registry.npmjs.org/left-pad');
  assert.deepEqual([yes.code, yes.stdout], [0, 'allowed: allow method=GET,HEAD host=registry.npmjs.org\n']);
  const no = await policy('test', 'https://api.example/v2', '--method', 'put', '--project', 'shop');
  assert.equal(no.code, 1);
  assert.match(no.stdout, /^denied: no rule allows it$/m);
  assert.match(
    no.stdout,
    /allowed by: autocode egress policy allow 'method=PUT host=api\.example path=\/v2' --project shop$/m,
  );
  const inside = await policy(
    'test',
    'https://shop.example/',
    '--project',
    'shop',
    '--address',
    '10.0.0.1',
    '--json',
  );
  assert.deepEqual(
    { ...JSON.parse(inside.stdout), policy: '' },
    {
      decision: 'deny',
      reason: 'private-address',
      rule: 'allow host=shop.example project=shop',
      allowedBy: 'allow method=GET,HEAD host=shop.example address=10.0.0.1 path=/',
      policy: '',
    },
  );

  const removed = await policy('remove', 'preset npm');
  assert.match(removed.stdout, /^- allow method=GET,HEAD host=registry\.npmjs\.org$/m);
  const gone = await policy('remove', 'host=never.example');
  assert.equal(gone.code, 3);
});

test('a file with mistakes is refused whole, each with its place; a good one shows what it changes', async () => {
  const file = join(directory, 'egress.rules');
  await policy('allow', 'host=shop.example', '--project', 'shop');
  await writeFile(file, 'allow host=ok.example\nallow hots=x\ndeny method=get host=y\n');
  const refused = await policy('set', file, '--project', 'shop');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /egress\.rules:2:7: There is no key "hots"\. Keys are /);
  assert.match(refused.stderr, /egress\.rules:3:13: "get" is no method\. /);
  assert.match((await policy('show', '--project', 'shop')).stdout, /shop\.example/);

  await writeFile(file, '# the shop\nallow host=ok.example\n');
  const tried = await policy('set', file, '--project', 'shop', '--dry-run');
  assert.match(tried.stdout, /^- allow host=shop\.example\n\+ allow host=ok\.example\nNothing was changed/);
  const set = await runCli(['egress', 'policy', 'set', '-', '--project', 'shop'], {
    env,
    input: 'allow host=ok.example',
  });
  assert.match(set.stdout + set.stderr, /Version \d+ of the policy of project shop holds\./);
  assert.match((await policy('show', '--project', 'shop')).stdout, /^allow host=ok\.example\n$/);
});

test('a rule given with a mistake is shown with the place of it', async () => {
  const wrong = await policy('allow', 'host=a.example path=x');
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /\n {2}allow host=a\.example path=x\n {2} {26}\^ A path begins with a slash\. Write path=\/x /,
  );
});

test('record mode is begun and ended, and rules are learnt from what was recorded', async () => {
  const begun = await policy('record', 'shop', '--hours', '2');
  assert.match(begun.stdout, /may reach all of the internet until /);
  assert.match((await policy('show', '--project', 'shop')).stderr, /^Record mode until .*, by admin/m);
  assert.match((await policy('record', 'shop', '--stop')).stdout, /is over/);

  const { spool } = egressPlaces(api.directory);
  await mkdir(spool, { recursive: true });
  const at = new Date().toISOString();
  const record = (id: string, fields: object) =>
    JSON.stringify({
      event: 'close',
      at,
      id,
      project: 'shop',
      decision: 'denied',
      reason: 'no-rule',
      ...fields,
    });
  const lines = [
    record('1', { method: 'GET', url: 'https://learnt.example/items/17' }),
    record('2', { method: 'GET', url: 'https://learnt.example/items/18' }),
    record('3', { method: 'GET', url: 'https://private.example/', reason: 'private-address' }),
  ];
  await writeFile(join(spool, `${at.slice(0, 13)}.jsonl`), `${lines.join('\n')}\n`);
  const proposed = await policy('learn', '--project', 'shop', '--since', '1h');
  assert.match(proposed.stdout, /allow method=GET,HEAD host=learnt\.example path=\/items\/\* +2 /);
  assert.match(proposed.stdout, /GET https:\/\/private\.example\/ +1 +its address is not public/);
  assert.equal((await policy('learn', '--project', 'shop', '--apply')).code, 2, 'nobody can be asked');
  const applied = await policy('learn', '--project', 'shop', '--apply', '--yes');
  assert.match(applied.stdout, /^\+ allow method=GET,HEAD host=learnt\.example path=\/items\/\*$/m);
  assert.match(
    (await policy('learn', '--project', 'shop')).stdout,
    /Nothing that was recorded needs another rule\./,
  );
});
