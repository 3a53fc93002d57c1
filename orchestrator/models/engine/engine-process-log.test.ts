import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { LocalModel } from '../../../protocol/local-model.ts';
import { beginLog, logTail, rotateLog } from './engine-process-log.ts';

function place(): Disposable & { directory: string } {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-log-'));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

const launchOf = (id: string) => ({
  id,
  model: LocalModel.parse({ name: 'small', path: 'small' }),
  replica: 1,
  weights: '/weights/small',
  gpus: [],
  gpuMemoryUtilization: 0.5,
});

test('the end of a log is of one launch alone', async () => {
  using here = place();
  const [first, second] = [randomUUID(), randomUUID()];
  const file = await beginLog(here.directory, launchOf(first));
  appendFileSync(file, 'CUDA out of memory\n');
  assert.equal(await beginLog(here.directory, launchOf(second)), file);
  assert.equal(path.basename(file), 'small-1.log');
  assert.equal(await logTail(file, second), '');
  appendFileSync(file, `${'x'.repeat(100_000)}\nlast\n`);
  const tail = await logTail(file, second);
  assert.ok(tail.endsWith('x\nlast\n') && tail.length <= 64 * 1024);
  assert.equal(await logTail(path.join(here.directory, 'none'), second), '');
});

test('a log is cut while the engine writes to it, and two older parts are kept', async () => {
  using here = place();
  const file = path.join(here.directory, 'engine.log');
  const output = openSync(file, 'a');
  for (const part of ['one', 'two', 'three', 'four']) {
    writeSync(output, part.padEnd(20));
    await rotateLog(file, 10);
  }
  writeSync(output, 'five');
  await rotateLog(file, 10);
  closeSync(output);
  const read = (name: string) => readFileSync(name, 'utf8').trim();
  assert.deepEqual([file, `${file}.1`, `${file}.2`].map(read), ['five', 'four', 'three']);
  await rotateLog(path.join(here.directory, 'none'));
});
