import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { makeSmallRoot } from '../../testing/small-root.ts';
import { writeOwnFiles } from '../../workspace/environments.ts';
import { confinedHost } from '../confined.ts';
import { openScratchConfined } from '../scratch.ts';
import { checkEnvironment, type Answer } from './environment.ts';

/** A browser that starts as Chromium does in a sandbox: without one of its own. */
const BROWSER = '#!/bin/sh\ncase "$*" in *--headless*--no-sandbox*) echo "${*##*,}";; *) exit 1;; esac\n';

async function answers(scripts: Record<string, string>, toolsOnly = false): Promise<Map<string, Answer>> {
  const place = mkdtempSync(path.join(os.tmpdir(), 'autocode-check-'));
  const root = path.join(place, 'root');
  makeSmallRoot(root, { scripts });
  await writeOwnFiles(path.join(root, 'etc'));
  const environment = { name: 'e', root, variables: {} };
  const sandbox = await openScratchConfined(await confinedHost('bubblewrap', process.env.PATH ?? ''), {
    environment,
  });
  const found = new Map<string, Answer>();
  try {
    const options = { name: 'e', toolDir: place, outside: sandbox.directory, toolsOnly };
    await checkEnvironment(sandbox, options, (answer) => found.set(answer.name, answer));
    return found;
  } finally {
    await sandbox.close();
    rmSync(place, { recursive: true });
  }
}

test("tools tell their versions; the agents' Node is none of the environment's own", async () => {
  const found = await answers(
    { java: '#!/bin/sh\necho openjdk 21 >&2\n', go: '#!/bin/sh\necho broken; exit 3\n' },
    true,
  );
  assert.deepEqual(found.get('java'), { name: 'java', result: 'ok', detail: 'openjdk 21' });
  assert.deepEqual(found.get('go'), { name: 'go', result: 'failed', detail: 'broken' });
  assert.equal(found.get('ruby')?.result, 'missing');
  assert.deepEqual([found.get('node')?.result, found.has('browser')], ['missing', false]);
  assert.match(found.get('node')?.detail ?? '', /that of the agents, v\d/);
});

test('a browser counts when it shows a page without a screen', async () => {
  const found = await answers({ chromium: BROWSER, node: '#!/bin/sh\necho v1.2.3\n' });
  assert.deepEqual(
    ['isolation', 'Node of the agents', 'node', 'browser'].map((name) => found.get(name)?.result),
    ['ok', 'ok', 'ok', 'ok'],
  );
  assert.equal(found.get('node')?.detail, 'v1.2.3');
  assert.match(found.get('browser')?.detail ?? '', /chromium starts with --headless --no-sandbox/);
  const broken = await answers({ chromium: '#!/bin/sh\necho no display >&2; exit 1\n' });
  assert.deepEqual(broken.get('browser'), {
    name: 'browser',
    result: 'failed',
    detail: 'chromium: no display',
  });
});
