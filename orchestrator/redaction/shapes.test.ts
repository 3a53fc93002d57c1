// Nothing that secretlint finds is lost by asking its rules only near anchors.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { findSecrets } from '../repos/checks/find-secrets.ts';
import { ANCHORS } from './anchors.ts';
import { findShapes, openShape } from './shapes.ts';

const DIGITS = '0123456789';
const HEX = `${DIGITS}abcdef`;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const ANY = `${LETTERS}${LETTERS.toUpperCase()}${DIGITS}`;
const of = (length: number, from = ANY) =>
  [...randomBytes(length)].map((byte) => from[byte % from.length]).join('');

/** A token of each kind that secretlint tells, by rule and name of its message; the path where it is told. */
const TOKENS: Record<string, () => string | [token: string, path: string]> = {
  'aws: AWSSecretAccessKey': () => `AWS_SECRET_ACCESS_KEY="${of(39, `${ANY}/+`)}x"`,
  'npm: PackageJSON_xOauthToken': () => [`"https://${of(40)}:x-oauth-basic@github.com/a"`, 'package.json'],
  'npm: Npmrc_authToken': () => [`//registry.example/:_authToken=${of(36)}`, '.npmrc'],
  'npm: NPM_ACCESS_TOKEN': () => `npm_${of(36)}`,
  'slack: SLACK_TOKEN': () => `xoxb-${of(12, DIGITS)}-${of(12)}-${of(24)}`,
  'slack: IncomingWebhook': () => `https://hooks.Slack.com/services/T${of(9)}/B${of(9)}/${of(24)}`,
  'basicauth: BasicAuth': () => `https://deploy:${of(20)}@git.example.com/x`,
  'openai: OPENAI_TOKEN': () => `sk-proj-${of(74)}T3BlbkFJ${of(74)}`,
  'anthropic: ANTHROPIC_API_KEY': () => `sk-ant-api03-${of(93)}AA`,
  'groq: GROQ_API_KEY': () => `gsk_${of(52)}`,
  'huggingface: HUGGINGFACE_USER_ACCESS_TOKEN': () => `hf_${of(34, LETTERS)}`,
  'linear: LINEAR_API_TOKEN': () => `lin_api_${of(40)}`,
  'notion: NOTION_INTEGRATION_TOKEN': () => `ntn_${of(11, DIGITS)}${of(35)}`,
  'privatekey: PrivateKey': () =>
    ['-----BEGIN RSA', ` PRIVATE KEY-----\nMI${of(62)}\n${of(64)}\n-----END RSA`, ' PRIVATE KEY-----'].join(
      '',
    ),
  'sendgrid: SENDGRID_KEY': () => `SG.${of(22)}.${of(43)}`,
  'shopify: SHOPIFY_KEY': () => `shpat_${of(32)}`,
  'stripe: STRIPE_SECRET_KEY_LIVE': () => `sk_live_${of(24)}`,
  'stripe: STRIPE_SECRET_KEY_TEST': () => `sk_test_${of(24)}`,
  'stripe: STRIPE_RESTRICTED_KEY_LIVE': () => `rk_live_${of(24)}`,
  'stripe: STRIPE_RESTRICTED_KEY_TEST': () => `rk_test_${of(24)}`,
  'github: GITHUB_TOKEN': () => `ghp_${of(36)}`,
  'gitlab: GITLAB_PERSONAL_ACCESS_TOKEN': () => `glpat-${of(20)}`,
  'grafana: GRAFANA_CLOUD_API_TOKEN': () => `glc_${of(64)}`,
  'grafana: GRAFANA_SERVICE_ACCOUNT_TOKEN': () => `glsa_${of(32)}_${of(8, HEX)}`,
  '1password: OPS_TOKEN': () => `ops_${Buffer.from(`{"signInAddress":"${of(89)}"}`).toString('base64')}`,
  'database-connection-string: MongoDBConnection': () => `mongodb+srv://app:${of(12)}@db.example.com/shop`,
  'database-connection-string: MySQLConnection': () => `MySQL://app:${of(12)}@db.example.com/shop`,
  'database-connection-string: PostgreSQLConnection': () => `postgres://app:${of(12)}@db.example.com/shop`,
  'hashicorp-vault: HASHICORP_VAULT_SERVICE_TOKEN': () => `hvs.${of(95)}`,
  'hashicorp-vault: HASHICORP_VAULT_BATCH_TOKEN': () => `hvb.${of(150)}`,
  'hashicorp-vault: HASHICORP_VAULT_RECOVERY_TOKEN': () => `hvr.${of(95)}`,
  'vercel: VERCEL_PERSONAL_ACCESS_TOKEN': () => `vcp_${of(24)}`,
  'vercel: VERCEL_INTEGRATION_TOKEN': () => `vci_${of(24)}`,
  'vercel: VERCEL_APP_ACCESS_TOKEN': () => `vca_${of(24)}`,
  'vercel: VERCEL_APP_REFRESH_TOKEN': () => `vcr_${of(24)}`,
  'vercel: VERCEL_AI_GATEWAY_API_KEY': () => `vck_${of(24)}`,
  'databricks: DATABRICKS_PERSONAL_ACCESS_TOKEN': () => `dapi${of(32, HEX)}`,
  'docker: DOCKER_PERSONAL_ACCESS_TOKEN': () => `dckr_pat_${of(27)}`,
  'figma: FIGMA_PERSONAL_ACCESS_TOKEN': () => `figd_${of(40)}`,
  'cloudflare: CLOUDFLARE_GLOBAL_API_KEY': () => `cfk_${of(40)}${of(8, HEX)}`,
  'cloudflare: CLOUDFLARE_USER_API_TOKEN': () => `cfut_${of(40)}${of(8, HEX)}`,
  'cloudflare: CLOUDFLARE_ACCOUNT_API_TOKEN': () => `cfat_${of(40)}${of(8, HEX)}`,
  'tailscale: TAILSCALE_API_KEY': () => `tskey-api-${of(12)}-${of(32)}`,
  'tailscale: TAILSCALE_AUTH_KEY': () => `tskey-auth-${of(12)}-${of(32)}`,
  'tailscale: TAILSCALE_CLIENT_KEY': () => `tskey-client-${of(12)}-${of(32)}`,
  'tailscale: TAILSCALE_SCIM_KEY': () => `tskey-scim-${of(12)}-${of(32)}`,
  'tailscale: TAILSCALE_WEBHOOK_KEY': () => `tskey-webhook-${of(12)}-${of(32)}`,
  'tailscale: TAILSCALE_KEY': () => `tskey-other-${of(12)}-${of(32)}`,
};
/** Off by default, or told of whole files by their names. */
const NOT_IN_TEXTS = [
  'aws: AWSAccountID',
  'aws: AWSAccessKeyID',
  'gcp: PrivateKeyP12',
  'gcp: PrivateKeyJSON',
];
const PROSE = 'The quick_brown fox https://example.com/a-b?c=d jumps { "a": [1, 2] } over.\n'.repeat(40);

const made = (kind: string) => [TOKENS[kind]!(), 'a.txt'].flat() as [string, string];

test('every kind of token that secretlint knows has an example here, every rule an anchor', () => {
  const kinds = rules
    .map(({ meta, messages }) => ({ rule: meta.id.replace('@secretlint/secretlint-rule-', ''), messages }))
    .filter(({ rule }) => rule !== 'filter-comments')
    .flatMap(({ rule, messages }) => Object.keys(messages).map((message) => `${rule}: ${message}`));
  assert.deepEqual([...Object.keys(TOKENS), ...NOT_IN_TEXTS].toSorted(), kinds.toSorted());
  const anchored = new Set(ANCHORS.map(({ rule }) => rule));
  for (const kind of Object.keys(TOKENS)) assert.ok(anchored.has(kind.split(': ')[0]!), kind);
});

for (const kind of Object.keys(TOKENS)) {
  test(`${kind}: found as by the whole of secretlint, wherever it stands`, async () => {
    for (let round = 0; round < 8; round++) {
      const [token, path] = made(kind);
      const before = PROSE.slice(0, round * 331);
      const text = `${before}${round % 2 === 0 ? ' ' : '('}${token}\n${round < 4 ? PROSE : ''}`;
      const whole = (await findSecrets(path, text)).map(({ kind, start, end }) => ({ kind, start, end }));
      assert.ok(
        whole.some((each) => each.kind === kind),
        `secretlint itself does not find ${token}`,
      );
      const found = findShapes(text);
      for (const each of whole)
        assert.ok(
          found.some((place) => isWithin(each, place)),
          JSON.stringify([each, found, text]),
        );
    }
  });

  test(`${kind}: found in a string of JSON, also at the beginning of a line in it`, () => {
    const [token] = made(kind);
    const plain = findShapes(token).find((place) => place.kind === kind)!;
    const secret = token.slice(plain.start, plain.end);
    for (const text of [
      JSON.stringify(`a\n${token}\tb`),
      JSON.stringify(JSON.stringify({ a: `\n${token}\n` })),
    ])
      assert.ok(
        findShapes(text).some(({ start, end }) =>
          text.slice(start, end).replaceAll(/\\+n/g, '\n').startsWith(secret),
        ),
        text,
      );
  });
}

test('tokens of all kinds in one text are found as by the whole of secretlint, and nothing else is', async () => {
  const text = Object.keys(TOKENS)
    .map((kind) => `${PROSE.slice(0, 300)}${made(kind)[0]}\n`)
    .join('');
  const whole = await findSecrets('prompt.txt', text);
  const found = findShapes(text);
  for (const each of whole)
    assert.ok(
      found.some((place) => isWithin(each, place)),
      JSON.stringify(each),
    );
  for (const each of found.filter(({ kind }) => !kind.startsWith('npm: ')))
    assert.ok(
      whole.some((place) => isWithin(each, place)),
      JSON.stringify(each),
    );
  assert.deepEqual(findShapes(PROSE.repeat(20)), []);
});

test('a token that the end of a text cuts off is told by where it begins', () => {
  for (const kind of [
    'github: GITHUB_TOKEN',
    'hashicorp-vault: HASHICORP_VAULT_SERVICE_TOKEN',
    'privatekey: PrivateKey',
  ]) {
    const [token] = made(kind);
    for (const end of [30, token.length - 3]) {
      const text = `${PROSE}${token.slice(0, end)}`;
      assert.equal(openShape(text), PROSE.length, `${kind} at ${end}`);
    }
    assert.equal(openShape(`${token}\n`), token.length + 1);
  }
  assert.equal(openShape(PROSE), PROSE.length);
});

test('a text made to keep expressions busy does not', () => {
  const hostile = [
    'SG.a.' + 'a'.repeat(300),
    'ghs_1_',
    'xoxb-',
    'mongodb://',
    '-----BEGIN PRIVATE KEY-----',
    'https://a:b@',
  ];
  for (const piece of hostile) {
    const text = piece.repeat(Math.ceil(65_536 / piece.length)).slice(0, 65_536);
    const began = process.cpuUsage();
    findShapes(text);
    const { user, system } = process.cpuUsage(began);
    assert.ok(user + system < 4_000_000, `${piece}: ${user + system} µs`);
  }
});

const isWithin = (inner: { start: number; end: number }, outer: { start: number; end: number }) =>
  inner.start >= outer.start && inner.end <= outer.end;
