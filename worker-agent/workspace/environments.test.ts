// Environments in the cache of a worker: fetched once, whole or not at all, kept while a run uses them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { removeTree } from '../run-directory.ts';
import { keepEnvironment } from './environments.ts';
import { cacheEntries, pruneCache } from './prune.ts';

interface Place {
  stateDir: string;
  digest: string;
  archive: Buffer;
  fetches: () => number;
  keep(run: string | null, body?: () => Readable): ReturnType<typeof keepEnvironment>;
}

const context = { path: process.env.PATH ?? '', signal: new AbortController().signal };

async function withPlace(use: (place: Place) => Promise<void>): Promise<void> {
  const stateDir = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'autocode-state-')));
  const source = path.join(stateDir, 'source');
  mkdirSync(path.join(source, 'root/etc'), { recursive: true });
  mkdirSync(path.join(source, 'root/usr'));
  writeFileSync(path.join(source, 'environment.json'), '{"variables":{"A":"b"}}\n');
  writeFileSync(path.join(source, 'root/etc/passwd'), 'root:x:0:0\n');
  writeFileSync(path.join(source, 'root/usr/tool'), 'tool');
  chmodSync(path.join(source, 'root/usr'), 0o555);
  const plain = execFileSync('tar', ['-C', source, '-cf', '-', 'environment.json', 'root']);
  const archive = zstdCompressSync(plain);
  const digest = createHash('sha256').update(plain).digest('hex');
  let fetches = 0;
  const whole = () => Readable.from([archive]);
  try {
    await use({
      stateDir,
      digest,
      archive,
      fetches: () => fetches,
      async keep(run, body = whole) {
        const runDirectory = run === null ? null : path.join(stateDir, 'runs', run);
        if (runDirectory !== null) mkdirSync(runDirectory, { recursive: true });
        const download = () => {
          fetches += 1;
          return Promise.resolve(body());
        };
        return await keepEnvironment(context, {
          cacheDir: path.join(stateDir, 'cache'),
          environment: { name: 'e', digest },
          runDirectory,
          download,
        });
      },
    });
  } finally {
    await removeTree(stateDir);
  }
}

test('several runs at once share one fetch; the root has the users of the sandbox', async () => {
  await withPlace(async ({ keep, fetches, digest, stateDir }) => {
    const kept = await Promise.all(['1-1', '2-1', '3-1', '4-1'].map(async (run) => await keep(run)));
    assert.deepEqual([fetches(), kept.filter(({ made }) => made).length], [1, 1]);
    const { root, variables } = kept[0]!;
    assert.equal(root, path.join(stateDir, 'cache/environments', digest, 'root'));
    assert.deepEqual(variables, { A: 'b' });
    assert.match(readFileSync(path.join(root, 'etc/passwd'), 'utf8'), /^agent:|60999/m);
    assert.equal(readFileSync(path.join(root, 'usr/tool'), 'utf8'), 'tool');
    assert.deepEqual(readdirSync(path.join(stateDir, 'cache/environments')), [digest]);
  });
});

test('what is damaged, cut off or another one is refused, leaves nothing, and is fetched anew', async () => {
  await withPlace(async ({ keep, archive, stateDir, digest }) => {
    const other = () => Readable.from([zstdCompressSync(Buffer.from('another'))]);
    await assert.rejects(keep('1-1', other), { code: 'ERR_ENVIRONMENT', message: /damaged: its digest is/ });
    await assert.rejects(
      keep('1-1', () => Readable.from([archive.subarray(0, -30)])),
      { code: 'ERR_ENVIRONMENT' },
    );
    await assert.rejects(
      keep('1-1', () => Readable.from([Buffer.from('no archive')])),
      { code: 'ERR_ENVIRONMENT' },
    );
    const gone = () =>
      new Readable({
        read() {
          this.destroy(new Error('gone'));
        },
      });
    await assert.rejects(keep('1-1', gone), /gone/);
    assert.deepEqual(readdirSync(path.join(stateDir, 'cache/environments')), []);
    mkdirSync(path.join(stateDir, 'cache/environments', `.making-${digest}`, 'root'), { recursive: true });
    assert.equal((await keep('1-1')).made, true, 'what a maker that was killed left is no hindrance');
  });
});

test('it is counted and pruned like the rest of the cache, never while a run has it', async () => {
  await withPlace(async ({ keep, stateDir, digest, fetches }) => {
    await keep('1-1');
    const [entry] = await cacheEntries(context, stateDir);
    assert.deepEqual(
      [entry?.kind, entry?.digest, entry?.inUse, entry!.bytes > 0],
      ['environment', digest, true, true],
    );
    assert.deepEqual(await pruneCache(context, stateDir, 0), []);
    rmSync(path.join(stateDir, 'runs/1-1'), { recursive: true });
    const half = path.join(stateDir, 'cache/environments/.making-aa');
    mkdirSync(half);
    assert.deepEqual(
      (await pruneCache(context, stateDir, 0)).map(({ kind }) => kind),
      ['environment'],
    );
    assert.deepEqual([existsSync(entry!.path), existsSync(half)], [false, false]);
    assert.equal((await keep('2-1')).made, true);
    assert.equal(fetches(), 2);
  });
});
