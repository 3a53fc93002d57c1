import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { createLog } from './log.ts';

const today = new Date().toISOString().slice(0, 10);

function temporaryDirectory(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'autocode-log-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function fileLines(directory: string): Record<string, unknown>[] {
  const text = readFileSync(join(directory, `orchestrator-${today}.log`), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function eventually(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); await delay(10)) {
    if (Date.now() > deadline) throw new Error('did not happen within 10 s');
  }
}

test('lines are in the file with their context and on the console without, once the log is closed', async () => {
  using directory = temporaryDirectory();
  const console = new PassThrough();
  const log = createLog({ directory: directory.path, service: 'orchestrator', console });
  log
    .child({ run: '12-1', worker: 'w' })
    .child({ requestId: 'r' })
    .warn('it broke', { error: new Error('why', { cause: new Error('deep') }) });
  log.debug('not shown');
  for (let line = 0; line < 500; line++) log.info(`line ${line}`);
  await log.close();

  const lines = fileLines(directory.path);
  assert.equal(lines.length, 501);
  const { run, worker, requestId, level, message, service, error } = lines[0] ?? {};
  assert.deepEqual(
    { run, worker, requestId, level, message, service },
    { run: '12-1', worker: 'w', requestId: 'r', level: 'warn', message: 'it broke', service: 'orchestrator' },
  );
  assert.equal((error as { cause: { message: string } }).cause.message, 'deep');
  const shown = String(console.read()).split('\n');
  assert.match(shown[0] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN  it broke: why$/);
});

test('a file that cannot be written does not end the process, and is written again when it can be', async () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, `orchestrator-${today}.log`);
  symlinkSync('/dev/full', file);
  const console = new PassThrough();
  const log = createLog({ directory: directory.path, service: 'orchestrator', console, reopenAfterMs: 20 });
  let shown = '';
  console.on('data', (chunk) => (shown += String(chunk)));
  log.info('lost to the full disk');
  await eventually(() => shown.includes('cannot be written'));
  rmSync(file);
  await eventually(() => {
    log.info('after');
    return existsSync(file);
  });
  await log.close();
  assert.ok(fileLines(directory.path).some((line) => line.message === 'after'));
  assert.match(shown, /ENOSPC/);
});

test('files of former days are compressed at the start', async () => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'orchestrator-2020-01-01.log'), '{}\n');
  const log = createLog({ directory: directory.path, service: 'orchestrator', console: false });
  await eventually(
    () =>
      readdirSync(directory.path).includes('orchestrator-2020-01-01.log.gz') &&
      !existsSync(join(directory.path, 'orchestrator-2020-01-01.log')),
  );
  await log.close();
});

test('the console is coloured on a terminal only', async () => {
  using directory = temporaryDirectory();
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  const log = createLog({ directory: directory.path, service: 'orchestrator', console: terminal });
  log.error('red');
  const [chunk] = (await once(terminal, 'data')) as [Buffer];
  assert.match(chunk.toString(), /\u001b\[31mERROR\u001b\[0m red/);
  await log.close();
});

test('every line goes through what takes secrets out of it, context and causes too', async () => {
  using directory = temporaryDirectory();
  const console = new PassThrough();
  const clean = (line: string) => line.replaceAll('canary', '[gone]');
  const log = createLog({ directory: directory.path, service: 'orchestrator', console, clean });
  log.warn('a canary', { error: new Error('why', { cause: new Error('canary') }), list: ['canary'] });
  await log.close();
  const [line] = fileLines(directory.path);
  assert.deepEqual([line?.message, line?.list], ['a [gone]', ['[gone]']]);
  assert.doesNotMatch(JSON.stringify(line) + String(console.read()), /canary/);
});
