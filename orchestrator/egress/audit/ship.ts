// Ships the spool to Elasticsearch, piece by piece, each again until it has been taken: what is away for an hour gets all of it later,
// and nothing twice, since the same line is the same document. Used by open.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Database } from '../../db/connect.ts';
import type { Piece, SpoolReader } from '../traffic/spool-reader.ts';
import type { Search } from './client.ts';
import { documentOf, type Document } from './document.ts';
import { refusal } from './failure.ts';
import { keepRejected } from './rejected.ts';
import { setUpAudit } from './setup.ts';

export interface ShipperOptions {
  db: Database;
  search: Search;
  /** Reads the spool. */
  reader: SpoolReader;
  /** Where the records go that Elasticsearch does not take. */
  rejected: string;
  signal: AbortSignal;
  /** What stands in the way, and null when it is gone. */
  told(trouble: AutocodeError | null): void;
}

const LOOK_MS = 1_000;
const PIECE_BYTES = 4 * 1024 * 1024;
const LONGEST_PAUSE_MS = 30_000;
/** A shard that is not there is waited for so long. */
const SHARD_WAIT = '10s';
/** What is wrong with the record itself, not with the index that it goes to. */
const ITS_OWN_FAULT = [
  'document_parsing_exception',
  'mapper_parsing_exception',
  'strict_dynamic_mapping_exception',
  'illegal_argument_exception',
];

/** Ships until the signal. */
export async function shipSpool(options: ShipperOptions): Promise<void> {
  const { signal, told } = options;
  let failures = 0;
  let prepared = false;
  while (!signal.aborted) {
    let pause = LOOK_MS;
    try {
      if (!prepared) await setUpAudit(options.search, { gently: true });
      prepared = true;
      if (await shipOnce(options)) pause = 0;
      if (failures > 0) told(null);
      failures = 0;
    } catch (error) {
      prepared = false; // what answers next may be another server
      options.reader.startOver();
      pause = Math.min(LOOK_MS * 2 ** failures, LONGEST_PAUSE_MS);
      failures += 1;
      if (!signal.aborted) told(asTrouble(error));
    }
    if (pause > 0) await delay(pause, undefined, { signal }).catch(() => {});
  }
}

/** Ships the next piece; false when there is none. */
export async function shipOnce(options: ShipperOptions): Promise<boolean> {
  const { db, reader } = options;
  const piece = await reader.next(PIECE_BYTES);
  if (piece === null) return false;
  await shipPiece(options, piece);
  await reader.done(db, piece);
  return true;
}

async function shipPiece({ search, rejected }: ShipperOptions, { file, lines }: Piece): Promise<void> {
  const documents = lines.flatMap((line) => documentOf(file, line) ?? []);
  if (documents.length === 0) return;
  const operations = documents.flatMap(({ action, source }) => [action, source]);
  const { errors, items } = await search.ask(
    async (client, options) =>
      await client.bulk(
        { operations, timeout: SHARD_WAIT, filter_path: 'errors,items.*.status,items.*.error' },
        options,
      ),
  );
  if (!errors) return;
  for (const [index, item] of items.entries()) {
    const { status, error } = item.index ?? { status: 200 };
    if (error === undefined || status === 409) continue; // a later version is there already
    const reason = [error.reason, error.caused_by?.reason].filter(Boolean).join(': ');
    if (status !== 400 || !ITS_OWN_FAULT.includes(error.type))
      throw refusal(status, error.type, reason, search.settings);
    await keepRejected(rejected, documents[index] as Document, `${error.type}: ${reason}`);
  }
}

function asTrouble(error: unknown): AutocodeError {
  if (error instanceof AutocodeError) return error;
  return new AutocodeError('ERR_INTERNAL', (error as Error).message, { cause: error });
}
