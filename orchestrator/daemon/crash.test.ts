import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

for (const [how, fails] of [
  ['is thrown', 'setImmediate(() => { throw error; });'],
  ['nobody waits for', 'Promise.reject(error);'],
]) {
  test(`an error that ${how} ends the process, and is told without secrets`, async () => {
    const program = `const { tellCrashes } = await import(${JSON.stringify(join(import.meta.dirname, 'crash.ts'))});
      tellCrashes((text) => text.replaceAll('canary', '[gone]'));
      const error = new Error('not canary', { cause: new Error('for canary') });
      setInterval(() => {}, 1000);
      ${fails}`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    assert.equal(code, 1);
    assert.match(said, /Error: not \[gone\]\n[^]*at [^]*for \[gone\]/);
    assert.doesNotMatch(said, /canary/);
  });
}
