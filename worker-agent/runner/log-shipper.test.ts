// Bytes arrive whole and in order, whatever the orchestrator does meanwhile.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { AutocodeError } from '../../protocol/errors.ts';
import { LogShipper } from './log-shipper.ts';

// An orchestrator's side of one stream; `before` may fail a call or forget bytes.
function receiver(before: (have: { bytes: Buffer }, call: number) => void = () => {}) {
  const have = { bytes: Buffer.alloc(0) };
  const batches: { length: number; at: number }[] = [];
  return {
    have,
    batches,
    async appendLog(_stream: string, offset: number, bytes: Uint8Array) {
      before(have, batches.length);
      batches.push({ length: bytes.length, at: performance.now() });
      if (offset > have.bytes.length)
        throw new AutocodeError('ERR_LOG_GAP', 'gap', { details: { bytes: have.bytes.length } });
      have.bytes = Buffer.concat([have.bytes, bytes.subarray(have.bytes.length - offset)]);
      return { bytes: have.bytes.length };
    },
  };
}

async function withFile(use: (file: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-log-'));
  try {
    await use(path.join(directory, 'raw.log'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('a file that grows arrives as it is, in batches of at most 64 KiB, with its digest', async () => {
  await withFile(async (file) => {
    const api = receiver();
    const shipper = new LogShipper({ api, stream: 'raw', file });
    const all = randomBytes(300_000);
    for (let at = 0; at < all.length; at += 7_001) {
      appendFileSync(file, all.subarray(at, at + 7_001));
      shipper.grew(Math.min(all.length, at + 7_001));
      await new Promise(setImmediate);
    }
    assert.deepEqual(await shipper.end(), {
      bytes: all.length,
      sha256: createHash('sha256').update(all).digest('hex'),
    });
    assert.ok(api.have.bytes.equals(all));
    assert.ok(api.batches.every(({ length }) => length <= 64 * 1024));
  });
});

test('a first byte does not wait for more than 50 ms', async () => {
  await withFile(async (file) => {
    const arrived = Promise.withResolvers<number>();
    const api = receiver();
    const shipper = new LogShipper({
      api: {
        async appendLog(stream, offset, bytes) {
          if (bytes.length > 0) arrived.resolve(performance.now());
          return await api.appendLog(stream, offset, bytes);
        },
      },
      stream: 'raw',
      file,
    });
    await new Promise(setImmediate);
    writeFileSync(file, 'x');
    const written = performance.now();
    shipper.grew(1);
    const waited = (await arrived.promise) - written;
    assert.ok(waited < 150, `${waited} ms`); // 50, and a noisy machine
    await shipper.end();
  });
});

test('an orchestrator that has less than it acknowledged gets the bytes again', async () => {
  await withFile(async (file) => {
    const api = receiver((have, call) => {
      if (call === 3) have.bytes = have.bytes.subarray(0, 10);
    });
    const all = randomBytes(400_000);
    writeFileSync(file, all);
    await new LogShipper({ api, stream: 'raw', file, size: all.length }).end();
    assert.ok(api.have.bytes.equals(all));
  });
});

test('what the orchestrator has already is not sent again', async () => {
  await withFile(async (file) => {
    const api = receiver();
    const all = randomBytes(200_000);
    api.have.bytes = Buffer.from(all.subarray(0, 150_000));
    writeFileSync(file, all);
    await new LogShipper({ api, stream: 'raw', file, size: all.length }).end();
    assert.ok(api.have.bytes.equals(all));
    assert.equal(
      api.batches.reduce((sum, { length }) => sum + length, 0),
      50_000,
    );
  });
});

test('a refusal is told at the end', async () => {
  await withFile(async (file) => {
    const refuse = async () => {
      throw new AutocodeError('ERR_STALE_FENCE', 'not yours');
    };
    await assert.rejects(new LogShipper({ api: { appendLog: refuse }, stream: 'raw', file }).end(), {
      code: 'ERR_STALE_FENCE',
    });
  });
});

test('bytes that are not taken at once are sent again until they are', async () => {
  await withFile(async (file) => {
    let refusals = 3;
    const taken = receiver();
    const api = {
      async appendLog(stream: string, offset: number, bytes: Uint8Array) {
        if (bytes.length > 0 && refusals-- > 0) return { bytes: offset };
        return await taken.appendLog(stream, offset, bytes);
      },
    };
    writeFileSync(file, 'held back');
    await new LogShipper({ api, stream: 'raw', file, size: 9 }).end();
    assert.equal(String(taken.have.bytes), 'held back');
  });
});
