// Claim ids are kept until their run is started.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { closeClaim, forgetClaims, openClaim } from './claims.ts';

test('a claim id is on disk and stays the same until it is closed or forgotten', async () => {
  const stateDir = mkdtempSync(path.join(os.tmpdir(), 'autocode-claims-'));
  try {
    const id = await openClaim(stateDir, 'w1');
    writeFileSync(path.join(stateDir, 'claims', `${id}.1.new`), '');
    assert.equal(await openClaim(stateDir, 'w1'), id);
    assert.deepEqual(readdirSync(path.join(stateDir, 'claims')), [id]);
    await closeClaim(stateDir, id);
    const next = await openClaim(stateDir, 'w1');
    assert.notEqual(next, id);
    await forgetClaims(stateDir);
    assert.notEqual(await openClaim(stateDir, 'w1'), next);
  } finally {
    rmSync(stateDir, { recursive: true });
  }
});
