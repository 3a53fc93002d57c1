import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { openScratchSandbox } from '../scratch.ts';
import { canHear, hearNames } from './dns-sink.ts';

test('a name that a program in the sandbox asks for is heard, in whatever way it asks', async (t) => {
  if (!canHear) return t.diagnostic('only root can listen there');
  const sandbox = await openScratchSandbox('http://127.0.0.1:9', {
    toolDir: '/nonexistent',
    isolation: 'bubblewrap',
  });
  const sink = hearNames(sandbox);
  try {
    const ask = `const dns = require('node:dns');
      dns.lookup('by-libc.example', () => dns.resolve4('by-itself.example', () => console.log('asked')));`;
    const asking = sink.sandbox.spawn([sandbox.node, '-e', ask], { gateway: true });
    assert.equal(await text(asking.stdout), 'asked\n');
    assert.deepEqual(sink.names(), ['by-itself.example', 'by-libc.example']);
  } finally {
    await sink.close();
    await sandbox.close();
  }
});
