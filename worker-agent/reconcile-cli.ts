// One reconciliation from the command line; `autocode worker reconcile` runs it as a child process.
// usage: node reconcile-cli.ts --state-dir DIR [--dry-run]. Prints one JSON array of differences, each with `mended`.
import { existsSync, realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { socketBase } from './config.ts';
import { differences, lasting } from './reconcile.ts';

/** Between the two looks: what is gone by then was at work. */
const LOOK_AGAIN_MS = 1_000;

const { values } = parseArgs({
  options: { 'state-dir': { type: 'string' }, 'dry-run': { type: 'boolean', default: false } },
});
const found = [];
const stateDir = values['state-dir'];
if (stateDir !== undefined && existsSync(stateDir)) {
  const places = { stateDir: realpathSync(stateDir), socketBase: socketBase(), pool: null };
  const before = await differences(places);
  if (before.length > 0) await delay(LOOK_AGAIN_MS);
  for (const { kind, what, why, mend } of lasting(
    before,
    before.length > 0 ? await differences(places) : [],
  )) {
    const mended = !values['dry-run'] && mend !== null;
    if (mended) await mend();
    found.push({ kind, what, why, mended });
  }
}
process.stdout.write(`${JSON.stringify(found)}\n`);
