// A machine that becomes a worker by the one command of its invitation, and works over TLS from then on.
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import type { NewWorkerInvite, WorkerInvite } from '../../protocol/joining.ts';
import type { Status } from '../../protocol/status.ts';
import type { Worker } from '../../protocol/worker.ts';
import { eventually, startAppliance } from './appliance.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const AGENT = [
  'set -e',
  'cat > /dev/null',
  'curl -fsS "$OPENAI_BASE_URL/models" > models.json',
  'echo begun',
  'while [ ! -e "$GO" ]; do sleep 0.1; done',
  'echo 42 > answer',
].join('\n');
const run = promisify(execFile);

const appliance = await startAppliance(
  'worker.local=false',
  'tls.host=127.0.0.1',
  'tls.port=auto',
  'tls.gatewayPort=auto',
);
const workers: ChildProcess[] = [];
after(async () => {
  for (const worker of workers.filter(({ exitCode }) => exitCode === null)) {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  }
  await appliance[Symbol.asyncDispose]();
});
const settings = path.join(appliance.directory, 'etc');

const invite = async (input: object = {}) =>
  await appliance.api<NewWorkerInvite>('POST', '/worker-invites', input);

/** Runs the words of an invitation as root would type them, on another machine: with settings and data of its own. */
async function join(command: string, directory = settings, ...more: string[]) {
  const words = command.split(' ');
  assert.deepEqual(words.slice(0, 2), ['sudo', 'autocode']);
  const args = [...words.slice(2), '--config-dir', directory, ...more];
  args.push('--set', `dataDir=${path.join(appliance.directory, 'elsewhere')}`, '--json');
  const done = await run(path.join(ROOT, 'autocode'), args).catch(
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return {
    code: 'code' in done ? done.code : 0,
    answer: JSON.parse(done.stdout) as { worker?: string; error?: { code: string } },
    stderr: done.stderr,
  };
}

test('a machine joins by one command and does a run over TLS: API, gateway, mirror', async () => {
  const command = (await appliance.autocode('worker', 'invite', '--name', 'vm-2')).trim();
  assert.match(command, /^sudo autocode worker join https:\/\/127\.0\.0\.1:\d+ --token acj_[\w-]{86}$/);
  assert.equal((await join(command)).answer.worker, 'vm-2');
  const token = readFileSync(path.join(settings, 'worker-token'), 'utf8');
  assert.equal(statSync(path.join(settings, 'worker-token')).mode & 0o777, 0o640);
  assert.match(readFileSync(path.join(settings, 'worker.env'), 'utf8'), /^AUTOCODE_URL=https:/m);
  assert.match(readFileSync(path.join(settings, 'worker.yaml'), 'utf8'), /# Settings of the worker/);
  assert.equal((await join(command)).code, 0, 'repeated on the same machine');
  assert.equal(readFileSync(path.join(settings, 'worker-token'), 'utf8'), token);

  const state = path.join(appliance.directory, 'vm');
  const directories = ['state', 'tool', 'log'].flatMap((name) => [`--${name}-dir`, path.join(state, name)]);
  const started = spawn(
    path.join(ROOT, 'systemd/start-worker'),
    ['--config', path.join(settings, 'worker.yaml'), ...directories],
    { stdio: 'ignore' },
  );
  workers.push(started);
  const go = path.join(appliance.directory, 'go');
  await appliance.project('tls', { agent: `GO=${go}\n${AGENT}` });
  const task = await appliance.task('tls');
  const found = await eventually(async () => (await appliance.runs(task))[0], 'the run to begin');

  // A log that is followed goes on while the certificate is replaced.
  const { port, before } = await shownNow();
  const log = followLog(port, found.id);
  await log.saw('begun');
  await appliance.autocode('tls', 'rotate');
  await eventually(
    async () => ((await shownNow()).before === before ? undefined : true),
    'the new certificate',
  );
  writeFileSync(go, '');
  assert.equal((await appliance.ended(task)).state, 'completed');
  const runs = await appliance.runs(task);
  assert.deepEqual(
    runs.map(({ id, worker }) => [id, worker]),
    [[found.id, 'vm-2']],
  );
  await log.saw('"step":"finish"');

  const admin = path.join(appliance.dataDir, 'run/admin-token');
  const flags = ['--url', `https://127.0.0.1:${port}`, '--token-file', admin, '--json'];
  const listed = async (...more: string[]) =>
    await run(path.join(ROOT, 'autocode'), ['worker', 'list', ...flags, ...more]);
  const { stdout } = await listed('--ca-file', path.join(settings, 'ca.crt'));
  assert.deepEqual(
    (JSON.parse(stdout) as Worker[]).map(({ name }) => name),
    ['vm-2'],
  );
  await assert.rejects(listed(), /not signed by the authority .* --ca-file of the CLI/s);
  const { parts } = await appliance.api<Status>('GET', '/status');
  assert.match(
    parts.find(({ name }) => name === 'tls')?.detail ?? '',
    /^https:\/\/127\.0\.0\.1:\d+, certificate until/,
  );
});

test('an invitation is for one machine, for its time, and until it is revoked', async () => {
  const elsewhere = path.join(appliance.directory, 'second');
  const refused = async (command: string, code: string, words: RegExp) => {
    const { answer, stderr } = await join(command, elsewhere);
    assert.equal(answer.error?.code, code, stderr);
    assert.match(stderr, words);
    assert.ok(!existsSync(path.join(elsewhere, 'worker-token')), 'nothing was written');
  };
  const invites = await appliance.api<WorkerInvite[]>('GET', '/worker-invites');
  assert.equal(invites[0]?.worker, 'vm-2');

  const used = await invite({ name: 'vm-3' });
  await join(used.command, path.join(appliance.directory, 'third'));
  await refused(used.command, 'ERR_UNAUTHENTICATED', /was used for worker vm-3, by another machine.*invite/s);

  const short = await invite({ ttlSeconds: 1 });
  await eventually(async () => {
    const all = await appliance.api<WorkerInvite[]>('GET', '/worker-invites');
    return all.find(({ id }) => id === short.id)?.state === 'expired' || undefined;
  }, 'the invitation to expire');
  await refused(short.command, 'ERR_UNAUTHENTICATED', /expired at .*invite/s);

  const revoked = await invite();
  await appliance.autocode('worker', 'uninvite', String(revoked.id));
  await refused(revoked.command, 'ERR_UNAUTHENTICATED', /was revoked.*invite/s);

  const open = await invite();
  const flipped = open.command.replace(
    /acj_(.)/,
    (_all, first: string) => `acj_${first === 'A' ? 'B' : 'A'}`,
  );
  await refused(flipped, 'ERR_TLS', /is not the one of the invitation.*Nothing was sent.*in between/s);
  await refused(open.command.replace('127.0.0.1', 'localhost'), 'ERR_TLS', /for other names.*tls\.names/s);
  await refused(open.command.slice(0, -3), 'ERR_INVALID_INPUT', /not one of `autocode worker invite`/);
  await refused(open.command.replace('https', 'http'), 'ERR_INVALID_INPUT', /no https address/);
  const { url } = open;
  await refused(
    open.command.replace(url, 'https://127.0.0.1:9'),
    'ERR_DAEMON_NOT_RUNNING',
    /does not answer/,
  );
});

test('a join that was interrupted after the exchange is finished by the same command', async () => {
  const directory = path.join(appliance.directory, 'interrupted');
  const { command } = await invite({ name: 'vm-4' });
  // The token cannot be put into its place: what a kill right after the answer leaves, too.
  mkdirSync(path.join(directory, 'worker-token'), { recursive: true });
  const first = await join(command, directory);
  assert.equal(first.answer.error?.code, 'ERR_CONFIG');
  assert.match(first.stderr, /give the same command again/);
  rmdirSync(path.join(directory, 'worker-token'));
  assert.equal((await join(command, directory)).answer.worker, 'vm-4');
  const token = readFileSync(path.join(directory, 'worker-token'), 'utf8').trim();
  const { raw } = new X509Certificate(readFileSync(path.join(directory, 'ca.crt')));
  const shown = JSON.parse(await appliance.autocode('tls', 'show', '--json')) as {
    authority: { sha256: string };
  };
  assert.equal(shown.authority.sha256, createHash('sha256').update(raw).digest('hex'));
  assert.match(token, /^ac_worker_/);
});

/** The certificate that the server shows to a new connection, by its hash. */
async function shownNow(): Promise<{ port: number; before: string }> {
  const { tls: port } = JSON.parse(readFileSync(path.join(appliance.dataDir, 'run/ports.json'), 'utf8')) as {
    tls: number;
  };
  const socket = tls.connect({ port, host: '127.0.0.1', ca: readFileSync(path.join(settings, 'ca.crt')) });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerX509Certificate() as X509Certificate;
  socket.destroy();
  return { port, before: createHash('sha256').update(raw).digest('hex') };
}

/** Follows a run's events over one connection by TLS. */
function followLog(port: number, id: string): { saw(words: string): Promise<void> } {
  const admin = readFileSync(path.join(appliance.dataDir, 'run/admin-token'), 'utf8').trim();
  const child = spawn('curl', [
    '-sSN',
    '--cacert',
    path.join(settings, 'ca.crt'),
    '-H',
    `authorization: Bearer ${admin}`,
    `https://127.0.0.1:${port}/api/v1/runs/${id}/logs/events?follow=true`,
  ]);
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return {
    saw: async (words) =>
      void (await eventually(async () => text.includes(words) || undefined, `${words} in the log`).catch(
        (error: Error) => {
          throw new Error(`${error.message}; it ends with ${text.slice(-1000)}`);
        },
      )),
  };
}
