import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { isListening } from './lock.ts';
import { differences, keepReconciled, lasting, type Reconciled } from './reconcile.ts';
import { MARK_NAME } from './run-processes.ts';

const KEY = '0123456789abcdef';

function place() {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-reconcile-')));
  const stateDir = path.join(directory, 'state');
  const socketBase = path.join(directory, 'sockets');
  for (const each of [path.join(stateDir, 'runs'), path.join(stateDir, 'claims'), socketBase])
    mkdirSync(each, { recursive: true });
  const places: Reconciled = { stateDir, socketBase, pool: { has: () => true, adopt: async () => {} } };
  return { ...places, places, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

function runProcess(stateDir: string, run: string) {
  const home = path.join(stateDir, 'runs', run, 'work/home');
  return spawn('sleep', ['300'], { env: { PATH: process.env.PATH, HOME: home, [MARK_NAME]: 'x' } });
}

test(
  'what ended runs left is removed when it is found twice, and what live runs have stays',
  { timeout: 20_000 },
  async (t) => {
    using at = place();
    const { stateDir, socketBase, places } = at;
    mkdirSync(path.join(stateDir, 'runs/1-1'));
    mkdirSync(path.join(stateDir, 'runs/.removed-2-1-77/deep'), { recursive: true });
    writeFileSync(path.join(stateDir, 'x.999999999.new'), '');
    const alive = runProcess(stateDir, '1-1');
    const stray = runProcess(stateDir, '2-1');
    t.after(() => [alive, stray].forEach((child) => child.kill('SIGKILL')));
    const strayEnded = once(stray, 'exit');
    const used = createServer().listen(path.join(socketBase, `${KEY}-used.sock`));
    t.after(() => used.close());
    await once(used, 'listening');
    await deadSocket(path.join(socketBase, `${KEY}-dead.sock`));

    const told: string[] = [];
    const log = { warn: (line: string) => told.push(line), error: (line: string) => told.push(line) };
    const stop = new AbortController();
    const kept = keepReconciled(places, log as never, stop.signal, 20);
    await strayEnded;
    while ((await differences(places)).length > 0) await new Promise(setImmediate);
    stop.abort();
    await kept;
    assert.equal(told.length, 4, told.join('\n'));
    assert.equal(alive.exitCode ?? alive.signalCode, null);
    assert.ok(existsSync(path.join(stateDir, 'runs/1-1')));
    assert.ok(await isListening(path.join(socketBase, `${KEY}-used.sock`)));
    assert.ok(!existsSync(path.join(socketBase, `${KEY}-dead.sock`)));
  },
);

test('a run that nobody looks after is taken up by the worker, and only told of where there is none', async () => {
  using at = place();
  mkdirSync(path.join(at.stateDir, 'runs/3-1'));
  let adopted = 0;
  const pool = { has: () => false, adopt: async () => void adopted++ };
  const [unknown] = await differences({ ...at.places, pool });
  await unknown?.mend?.();
  assert.equal(adopted, 1);
  const [unattended] = await differences({ ...at.places, pool: null });
  assert.equal(unattended?.kind, 'run');
  assert.equal(unattended.mend, null);
});

test('only what is there both times lasts', () => {
  const one = { kind: 'file', what: '/a', why: '', mend: null } as const;
  const other = { ...one, what: '/b' };
  assert.deepEqual(lasting([one], [one, other]), [one]);
  assert.deepEqual(lasting([], [one]), []);
});

// A socket file whose listener was killed.
async function deadSocket(file: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script]), 'exit');
  assert.ok(existsSync(file));
}
