// Shows the cache of a worker, or prunes it; `autocode worker cache` runs it as a child process.
// usage: node cache-cli.ts --state-dir DIR [--prune BYTES]. Prints one JSON array of entries, each with `removed`.
import { existsSync, realpathSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { programPath } from '../config.ts';
import { cacheEntries, pruneCache } from './prune.ts';

const { values } = parseArgs({ options: { 'state-dir': { type: 'string' }, prune: { type: 'string' } } });
const stateDir = values['state-dir'];
const shown = [];
if (stateDir !== undefined && existsSync(stateDir)) {
  const context = { path: programPath(), signal: new AbortController().signal };
  const where = realpathSync(stateDir);
  const removed = values.prune === undefined ? [] : await pruneCache(context, where, Number(values.prune));
  shown.push(...removed.map((entry) => ({ ...entry, removed: true })));
  shown.push(...(await cacheEntries(context, where)).map((entry) => ({ ...entry, removed: false })));
}
process.stdout.write(`${JSON.stringify(shown)}\n`);
