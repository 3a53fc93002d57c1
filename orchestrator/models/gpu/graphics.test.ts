import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { askGraphics, readControllers } from './graphics.ts';
import { recorded } from './testing/stand-in-smi.ts';

test('the cards are those of NVIDIA, counted as nvidia-smi does; what the library leaves out is 0 only where that follows', () => {
  const cards = readControllers(JSON.parse(recorded('controllers.json')));
  assert.deepEqual(
    cards.map(({ index, bus, totalMib, usedMib, utilisation, temperature }) => [
      index,
      bus,
      totalMib,
      usedMib,
      utilisation,
      temperature,
    ]),
    [
      [0, '0000:31:00', 24_564, 0, null, 31],
      [1, '0000:65:00', 24_564, 21_886, 98, 71],
    ],
  );
});

test('the library itself is asked, in a process of its own', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'graphics-'));
  const program = (name: string, text: string) => {
    writeFileSync(join(directory, name), `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`);
    chmodSync(join(directory, name), 0o755);
  };
  program(
    'nvidia-smi',
    '460.91.03, 0x147E10DE, NVIDIA RTX A5000, 00000000:65:00.0, 30, 24564, 21886, 2678, 98, 81, 71, [N/A], 224.80, 230.00, 1695, 7600',
  );
  program(
    'lspci',
    '65:00.0 VGA compatible controller: NVIDIA Corporation GA102GL [RTX A5000] (rev a1) (prog-if 00 [VGA controller])\n\tSubsystem: NVIDIA Corporation Device 147e\n',
  );
  const [card, ...others] = await askGraphics(undefined, `${directory}:${process.env.PATH}`);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [card?.name, card?.bus, card?.totalMib, card?.usedMib, card?.watts],
    ['NVIDIA RTX A5000', '0000:65:00', 24_564, 21_886, 224.8],
  );
  rmSync(directory, { recursive: true });
});
