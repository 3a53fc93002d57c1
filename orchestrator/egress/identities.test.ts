// Who may go out, as the proxy reads it: those whose runs live.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase } from '../../test/support/database.ts';
import { stopListening } from '../db/notifications.ts';
import { emit } from '../events/outbox.ts';
import { liveRun } from '../gateway/testing/live-run.ts';
import { ensureAuthority, newAuthority, readAuthority } from './authority.ts';
import { egressToken, identitiesOf } from './identities.ts';
import { keepFile } from './kept-file.ts';

const KEY = Buffer.alloc(32, 7);

test('a run is in the file from its claim to its end, by the hash of a token that is the same each time', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-identities-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'identities.json');
  await using database = await testDatabase();
  const db = database.pool;
  const stopping = new AbortController();
  const failed = (error: unknown) => assert.fail(String(error));
  const content = async () => await identitiesOf(db, KEY);
  const kept = await keepFile({ db, file, content, signal: stopping.signal, failed });
  assert.equal(readFileSync(file, 'utf8'), '{}');
  const { run } = await liveRun(db);
  await emit(db, { kind: 'run.state', run, data: { to: 'working' } });
  const hash = createHash('sha256').update(egressToken(KEY, run)).digest('hex');
  const written = async (wanted: boolean) => {
    for (const giveUp = Date.now() + 30_000; Date.now() < giveUp; await delay(20)) {
      const found = JSON.parse(readFileSync(file, 'utf8')) as Record<
        string,
        { run: string; project: string }
      >;
      if ((found[hash] !== undefined) === wanted) return found[hash];
    }
    return assert.fail('the file stays as it was');
  };
  assert.equal((await written(true))?.run, run);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.doesNotMatch(readFileSync(file, 'utf8'), /ac_egress/);
  await db.query(`update run set state = 'failed', cause = 'agent', finished_at = now() where id = $1`, [
    run,
  ]);
  await emit(db, { kind: 'run.state', run, data: { to: 'failed' } });
  await written(false);
  stopping.abort();
  await kept.stopped;
  await stopListening(db);
});

test('the authority is made once, its key is for its owner alone; a new one takes its place', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-authority-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const ca = path.join(directory, 'ca');
  assert.equal(readAuthority(ca), null);
  const first = await ensureAuthority(ca);
  assert.deepEqual(await ensureAuthority(ca), first);
  assert.doesNotMatch(first.certificate, /PRIVATE/);
  assert.equal(statSync(path.join(ca, 'mitmproxy-ca.pem')).mode & 0o777, 0o600);
  assert.equal(statSync(ca).mode & 0o777, 0o700);
  const second = await newAuthority(ca);
  assert.notEqual(second.fingerprint, first.fingerprint);
  assert.deepEqual(readAuthority(ca), second);
});
