import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { recorded } from './testing/stand-in-smi.ts';
import { openKernelLog, xidIn } from './xid.ts';

test('errors of GPUs are found in the lines of the kernel, with the card that they speak of', () => {
  const found = recorded('kernel.txt')
    .split('\n')
    .flatMap((line) => xidIn(line) ?? []);
  assert.deepEqual(
    found.map(({ bus, code }) => [bus, code]),
    [
      ['0000:65:00', 79],
      ['0000:65:00', 79],
      ['0000:31:00', 13],
      ['0000:31:00', 48],
      ['0000:31:00', 63],
    ],
  );
  assert.match(found[3]!.text, /uncorrectable double bit error/);
  assert.deepEqual(xidIn('NVRM: Xid (PCI:0000:44:00): 79, GPU has fallen off the bus')?.bus, '0000:44:00');
  assert.equal(xidIn('usb 1-1: new high-speed USB device'), undefined);
});

test('only what comes after the opening is told, and once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kmsg-'));
  const device = join(directory, 'kmsg');
  execFileSync('mkfifo', [device]);
  // A pipe answers as the device does while somebody holds it open for writing.
  const { openSync, closeSync, writeSync, constants } = await import('node:fs');
  const writer = openSync(device, constants.O_RDWR);
  writeSync(writer, recorded('kernel.txt'));
  const log = openKernelLog(device);
  assert.deepEqual(await log.xids(), []);
  writeSync(
    writer,
    '3,970,2393456789,-;NVRM: Xid (PCI:0000:31:00): 94, pid=7, name=python3, Contained: SM (0x1).\n',
  );
  assert.deepEqual(
    (await log.xids()).map(({ code }) => code),
    [94],
  );
  assert.deepEqual(await log.xids(), []);
  log.close();
  closeSync(writer);
  rmSync(directory, { recursive: true });
});

test('the journal is asked where the device may not be read; where neither can be, nothing is told', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'));
  const journalctl = join(directory, 'journalctl');
  const lines = join(directory, 'lines');
  writeFileSync(lines, '1000.5 host kernel: NVRM: Xid (PCI:0000:31:00): 31, pid=1, name=old, MMU Fault\n');
  writeFileSync(journalctl, `#!/bin/sh\ncat '${lines}'\n`);
  chmodSync(journalctl, 0o755);
  const log = openKernelLog(join(directory, 'none'), journalctl);
  assert.deepEqual(await log.xids(), []);
  const soon = Date.now() / 1000 + 1;
  appendFileSync(
    lines,
    `${soon} host kernel: NVRM: Xid (PCI:0000:31:00): 79, pid=1, GPU has fallen off the bus.\n`,
  );
  assert.deepEqual(
    (await log.xids()).map(({ code }) => code),
    [79],
  );
  assert.deepEqual(await log.xids(), []);
  const none = openKernelLog(join(directory, 'none'), join(directory, 'neither'));
  assert.deepEqual(await none.xids(), []);
  rmSync(directory, { recursive: true });
});
