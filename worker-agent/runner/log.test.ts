// The log's files, their cap, and the line that a dead runner left unfinished.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { runDirectoryAt, type RunDirectory } from '../run-directory.ts';
import { openRunLog } from './log.ts';

async function withDirectory(use: (directory: RunDirectory) => void): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-log-'));
  try {
    use(runDirectoryAt(directory));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('what is beyond the cap is dropped with a notice; steps and errors are still told', async () => {
  await withDirectory((directory) => {
    const grown: Record<string, number> = {};
    const log = openRunLog({
      directory,
      grew: (stream, bytes) => (grown[stream] = bytes),
      failed: assert.fail,
      capBytes: 1000,
    });
    for (let count = 0; count < 100; count++) {
      log.raw(Buffer.alloc(300, 'x'));
      log.event({ type: 'message', role: 'agent', text: 'y'.repeat(200) });
    }
    log.event({ type: 'error', message: 'the end' });
    log.close();
    assert.equal(statSync(directory.log('raw')).size, 900);
    const lines = readFileSync(directory.log('events'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    assert.deepEqual(lines.filter(({ type }) => type === 'notice').length, 2);
    assert.equal(lines.at(-1)?.type, 'error');
    assert.equal(grown.events, statSync(directory.log('events')).size);
  });
});

test('a line that was cut off is closed before the next one', async () => {
  await withDirectory((directory) => {
    writeFileSync(directory.log('events'), '{"t":1,"type":"noti');
    const log = openRunLog({ directory, grew: () => {}, failed: assert.fail });
    log.event({ type: 'error', message: 'gone' });
    log.close();
    assert.match(readFileSync(directory.log('events'), 'utf8'), /^\{"t":1,"type":"noti\n\{.*"gone"\}\n$/);
  });
});

test('a disk that takes no more is told once', async () => {
  await withDirectory((directory) => {
    const told: Error[] = [];
    const full = {
      ...directory,
      log: (stream: string) => (stream === 'raw' ? '/dev/full' : directory.log(stream)),
    };
    const log = openRunLog({ directory: full, grew: () => {}, failed: (error) => told.push(error) });
    log.raw(Buffer.from('x'));
    log.raw(Buffer.from('y'));
    assert.deepEqual(
      told.map((error) => (error as NodeJS.ErrnoException).code),
      ['ENOSPC'],
    );
    log.close();
  });
});
