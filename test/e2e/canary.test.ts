// Secrets that are kept are pushed through every way by which texts are stored or shown, by a daemon as users have it: none of
// them, in no form, comes out anywhere.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findPostgres } from '../../orchestrator/db/postgres-programs.ts';
import { startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import { MITMDUMP, openServers } from '../support/egress-rig.ts';
import { eventually, OWN_POSTGRES, startAppliance } from './appliance.ts';
import { scriptedEngine } from './scripted.ts';

const some = (length: number) => randomBytes(length).toString('hex').slice(0, length);
const CANARIES: Record<string, string> = {
  'api-key': `gl${'pat-'}${some(24)}`,
  password: `correct horse ${some(12)}`,
  pem: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string,
  unicode: `пароль-🔑-${some(10)}`,
  base64ish: `${randomBytes(30).toString('base64')}/+==`,
  escaped: `a"b\\c\t${some(12)}\n${some(12)}`,
};

/** Pieces that give one away: it, its lines, and what is random in it. */
const PIECES = Object.values(CANARIES).flatMap((value) => [
  value,
  ...value.split('\n').filter((line) => line.length >= 12 && !line.startsWith('-----')),
  ...(value.match(/[0-9a-f]{10,24}/g) ?? []),
]);
const NEEDLES = [
  ...new Set(
    PIECES.flatMap((piece) => [
      piece,
      JSON.stringify(piece).slice(1, -1),
      encodeURIComponent(piece),
      ...[0, 1, 2].map((before) => {
        const digits = Buffer.from(`${'-'.repeat(before)}${piece}`).toString('base64');
        return digits.slice(before + 1, -4);
      }),
    ]),
  ),
].map((needle) => Buffer.from(needle));

function assertClean(what: string, content: string | Buffer): void {
  const bytes = Buffer.from(content);
  const found = NEEDLES.find((needle) => bytes.includes(needle));
  const at = found === undefined ? 0 : bytes.indexOf(found);
  assert.equal(found, undefined, `${what}: ${bytes.subarray(Math.max(0, at - 80), at + 80).toString()}`);
}

const filesIn = (folder: string) =>
  globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));

const ALL = Object.values(CANARIES).join('\n');
const HALF = Math.floor(CANARIES['api-key']!.length / 2);
const FILES = {
  answer: '41\n',
  check: 'cat all; test "$(cat answer)" = 42\n',
  all: ALL,
  'in-json': JSON.stringify({ ...CANARIES, again: JSON.stringify(CANARIES) }),
  'in-base64': Buffer.from(`user:${CANARIES.password}`).toString('base64'),
  first: CANARIES['api-key']!.slice(0, HALF),
  second: `${CANARIES['api-key']!.slice(HALF)}\n`,
  prompt: JSON.stringify({ model: 'scripted', messages: [{ role: 'user', content: ALL }] }),
};
const SAYS = 'cat all in-json in-base64; echo; cat in-json >&2; cat first; sleep 0.2; cat second';

const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-canary-')));
const model = await startScriptedModel(() => ({ text: `It is ${ALL}` }));
after(async () => {
  await model.close();
  rmSync(directory, { recursive: true });
});

test('a canary of every kind is found nowhere', async () => {
  const servers = await openServers(directory, (_request, response) => response.end('42\n'));
  try {
    await using appliance = await startAppliance(
      OWN_POSTGRES, // in whose files is looked, too
      scriptedEngine(model.url),
      'egress.proxy=true',
      `egress.program=${MITMDUMP}`,
      `egress.upstreamCa=${servers.trust}`,
      'limits.retries.agent=0',
      'log.level=debug',
    );
    const { api, autocode, dataDir } = appliance;
    for (const [name, value] of Object.entries(CANARIES))
      await api('PUT', `/secrets/canary%2F${name}`, { value });
    const outside = `https://localhost:${servers.secure}/x?q=${encodeURIComponent(CANARIES.password!)}`;
    const asks = `curl -s "$OPENAI_BASE_URL/chat/completions" -H 'content-type: application/json' -d @prompt`;
    await appliance.project('says', {
      files: { ...FILES, outside },
      agent: `${SAYS}; ${asks}; export NO_PROXY= no_proxy=; curl -sS "$(cat outside)"; echo 42 > answer`,
    });
    await appliance.project('leaks', { files: FILES, agent: `${SAYS}; cp all leaked; echo 42 > answer` });
    await api('PATCH', '/projects/says', { isolation: 'bubblewrap' });
    await autocode('model', 'policy', 'says', '--keep-prompts');

    const says = await appliance.task('says', `Say ${CANARIES.password}`, { body: ALL, acceptance: [ALL] });
    await api('POST', `/tasks/${says}/messages`, { text: ALL });
    const leaks = await appliance.task('leaks', 'Leak');
    assert.equal((await appliance.ended(says)).state, 'completed');
    const refused = await appliance.ended(leaks);
    assert.equal(refused.state, 'failed');
    assert.match(refused.reason ?? '', /line 1 holds a kept secret \(secret: canary\/api-key\) \[secrets\]/);

    const token = readFileSync(path.join(dataDir, 'run/admin-token'), 'utf8').trim();
    const daemon = JSON.parse(readFileSync(path.join(dataDir, 'run/daemon.json'), 'utf8')) as { url: string };
    const get = async (route: string, accept = 'application/json') => {
      const headers = { authorization: `Bearer ${token}`, accept };
      const ended = AbortSignal.timeout(120_000);
      const answer = await fetch(`${daemon.url}/api/v1${route}`, { headers, signal: ended });
      let text = '';
      // A stream of events does not end: what has happened is in it when the last event is.
      for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
        text += piece;
        if (accept === 'text/event-stream' && text.includes('event: end')) break;
      }
      assertClean(route, text);
      return text;
    };
    const runs = [`${says}-1`, `${leaks}-1`];
    for (const run of runs)
      for (const stream of ['events', 'raw']) {
        const log = await get(`/runs/${run}/logs/${stream}`);
        assert.match(log, /\*{12}/);
        assert.ok((await get(`/runs/${run}/logs/${stream}`, 'text/event-stream')).includes('*'.repeat(12)));
      }
    for (const run of runs) {
      for (const route of [
        `/runs/${run}`,
        `/runs/${run}/calls`,
        `/runs/${run}/refusals`,
        `/traffic?run=${run}`,
      ])
        await get(route);
      assertClean('diff', await autocode('run', 'diff', run));
    }
    for (const route of [
      '/tasks',
      `/tasks/${says}`,
      `/tasks/${says}/messages`,
      `/tasks/${leaks}/explanation`,
    ])
      await get(route);
    assert.match(await get('/changes?project=says'), /\[redacted secret: canary\/password\]/);
    assert.match(await get('/events?limit=500'), /run.created/);
    assert.match(await get(`/tasks/${encodeURIComponent(ALL)}`), /ERR_INVALID_INPUT/);
    assert.match(await get(`/projects/${encodeURIComponent(CANARIES.password!)}`), /error/);
    assert.match(
      await get(`/nowhere/${CANARIES['api-key']}`),
      /There is no GET .*\[redacted secret: canary\/api-key\]/,
    );
    const prompts = await eventually(async () => {
      const kept = JSON.parse(await autocode('run', 'prompts', `${says}-1`, '--json')) as { id: number }[];
      return kept.length > 0 ? kept : undefined;
    }, 'the prompt to be kept');
    assert.match(
      await get(`/runs/${says}-1/prompts/${prompts[0]!.id}`),
      /It is \[redacted secret: canary\/api-key\]/,
    );

    const archive = path.join(directory, 'backup.tar.gz');
    const unpacked = path.join(directory, 'unpacked');
    await autocode('backup', 'create', archive);
    mkdirSync(unpacked);
    execFileSync('tar', ['-xf', archive, '-C', unpacked]);
    const { root } = await findPostgres(undefined, 'pg_restore');
    const dump = path.join(unpacked, 'database.dump');
    const rows = execFileSync(path.join(root, 'bin/pg_restore'), ['--file=-', dump], { maxBuffer: 1 << 28 });
    assert.match(rows.toString(), /\[redacted secret: canary\/unicode\]/);
    assertClean('the rows of the database', rows);
    // The work tree of a run is the repository's: what was in it before is not taken out.
    const files = [
      ...filesIn(unpacked),
      ...filesIn(dataDir).filter((file) => !/\/worker\/|\/projects\//.test(file.slice(dataDir.length))),
    ];
    assert.ok(
      files.some((file) => /logs\/orchestrator\/.*\.log$/.test(file)) &&
        files.some((file) => /traffic/.test(file)),
      files.join(' '),
    );
    for (const file of files) assertClean(file, readFileSync(file));
  } finally {
    servers.close();
  }
});
