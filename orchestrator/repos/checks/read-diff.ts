// The difference between two commits of a mirror as the rules see it. All by plumbing in the mirror: nothing is checked out,
// no link is followed, no attribute or configuration of the repository is asked. Used by check.ts.
import type { Git } from '../git.ts';
import type { ChangedFile, Contents, TreeDiff } from './rule.ts';

interface Entry {
  raw: Buffer;
  path: string;
  before: { mode: string; id: string } | null;
  after: { mode: string; id: string } | null;
}

const LINK = '120000';
const SUBMODULE = '160000';
const ABSENT = '000000';
const BATCH_BYTES = 32 << 20;
const BATCH_FILES = 2_000;
const LISTING_BYTES = 512 << 20;
const LINK_BYTES = 4096;
const TIMEOUT_MS = 10 * 60_000;

/** Reads what changed from base to head. */
export async function readDiff(git: Git, mirror: string, base: string, head: string): Promise<TreeDiff> {
  const call = { gitDir: mirror, maxBytes: LISTING_BYTES, timeoutMs: TIMEOUT_MS };
  const flags = ['-r', '-z', '--no-renames', '--no-ext-diff', '--no-textconv'];
  const entries = readRaw(
    (await git.run(['diff-tree', ...flags, '--raw', '--no-abbrev', base, head], call)).stdout,
  );
  const lines = readNumbers((await git.run(['diff-tree', ...flags, '--numstat', base, head], call)).stdout);
  const sizes = await readSizes(git, mirror, entries.flatMap(blobsOf));
  const links = await readLinks(git, mirror, entries, sizes);
  const byFile = new Map<ChangedFile, Entry>();
  for (const entry of entries) byFile.set(changedFile(entry, { lines, sizes, links }), entry);
  const files = [...byFile.keys()];
  return {
    files,
    async *contents(wanted, { fileBytes }) {
      const asked = wanted.flatMap((file) => byFile.get(file) ?? []);
      for (const batch of batches(asked, sizes, fileBytes))
        yield await readContents(git, mirror, batch, { sizes, fileBytes });
    },
  };
}

interface Facts {
  lines: ReadonlyMap<string, number | null>;
  sizes: ReadonlyMap<string, number>;
  links: ReadonlyMap<string, string>;
}

function changedFile({ raw, path, before, after }: Entry, { lines, sizes, links }: Facts): ChangedFile {
  const counted = lines.get(raw.toString('latin1'));
  return {
    path,
    status: before === null ? 'added' : after === null ? 'deleted' : 'modified',
    mode: { before: before?.mode ?? null, after: after?.mode ?? null },
    bytes: after === null ? 0 : (sizes.get(after.id) ?? 0),
    binary: counted === null,
    lines: counted ?? 0,
    link: after?.mode === LINK ? (links.get(after.id) ?? '') : null,
  };
}

// `:<mode> <mode> <id> <id> <status>` NUL `<path>` NUL. Paths may hold any byte but NUL.
function readRaw(output: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (const fields = nulFields(output); ;) {
    const [about, raw] = [fields.next().value, fields.next().value];
    if (about === undefined || raw === undefined) return entries;
    const [oldMode = '', newMode = '', oldId = '', newId = ''] = about.toString('latin1').slice(1).split(' ');
    const side = (mode: string, id: string) => (mode === ABSENT ? null : { mode, id });
    entries.push({ raw, path: raw.toString(), before: side(oldMode, oldId), after: side(newMode, newId) });
  }
}

// `<added>` TAB `<removed>` TAB `<path>` NUL; a dash for binary files.
function readNumbers(output: Buffer): Map<string, number | null> {
  const numbers = new Map<string, number | null>();
  for (const field of nulFields(output)) {
    const [, added = '', removed = '', path = ''] =
      /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(field.toString('latin1')) ?? [];
    numbers.set(path, added === '-' ? null : Number(added) + Number(removed));
  }
  return numbers;
}

function* nulFields(output: Buffer): Generator<Buffer, undefined> {
  for (let start = 0; start < output.length;) {
    const end = output.indexOf(0, start);
    yield output.subarray(start, end);
    start = end + 1;
  }
}

function blobsOf({ before, after }: Entry): string[] {
  return [before, after].flatMap((side) => (side === null || side.mode === SUBMODULE ? [] : [side.id]));
}

async function readSizes(git: Git, mirror: string, ids: string[]): Promise<Map<string, number>> {
  const input = [...new Set(ids)].join('\n');
  if (input === '') return new Map();
  const listing = await git.text(['cat-file', '--batch-check=%(objectname) %(objectsize)'], {
    gitDir: mirror,
    input: `${input}\n`,
    maxBytes: LISTING_BYTES,
    timeoutMs: TIMEOUT_MS,
  });
  return new Map(
    listing
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), Number(line.slice(line.indexOf(' ') + 1))]),
  );
}

async function readLinks(
  git: Git,
  mirror: string,
  entries: Entry[],
  sizes: ReadonlyMap<string, number>,
): Promise<Map<string, string>> {
  const ids = entries.flatMap(({ after }) =>
    after?.mode === LINK && (sizes.get(after.id) ?? 0) <= LINK_BYTES ? [after.id] : [],
  );
  const targets = new Map<string, string>();
  for (let start = 0; start < ids.length; start += BATCH_FILES) {
    for (const [id, bytes] of await readBlobs(git, mirror, ids.slice(start, start + BATCH_FILES)))
      targets.set(id, bytes.toString());
  }
  return targets;
}

async function readContents(
  git: Git,
  mirror: string,
  entries: Entry[],
  { sizes, fileBytes }: { sizes: ReadonlyMap<string, number>; fileBytes: number },
): Promise<Contents[]> {
  const blobs = await readBlobs(
    git,
    mirror,
    entries.flatMap(blobsOf).filter((id) => (sizes.get(id) ?? 0) <= fileBytes),
  );
  return entries.map(({ path, before, after }) => ({
    path,
    before: before === null ? null : (blobs.get(before.id) ?? null),
    after: after === null ? null : (blobs.get(after.id) ?? null),
  }));
}

function* batches(
  entries: Entry[],
  sizes: ReadonlyMap<string, number>,
  fileBytes: number,
): Generator<Entry[]> {
  let batch: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const more = blobsOf(entry).reduce((sum, id) => sum + Math.min(sizes.get(id) ?? 0, fileBytes), 0);
    if (batch.length > 0 && (bytes + more > BATCH_BYTES || batch.length >= BATCH_FILES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(entry);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}

// `<id> blob <size>` LF `<content>` LF, in the order asked.
async function readBlobs(git: Git, mirror: string, ids: string[]): Promise<Map<string, Buffer>> {
  const blobs = new Map<string, Buffer>();
  if (ids.length === 0) return blobs;
  const { stdout } = await git.run(['cat-file', '--batch'], {
    gitDir: mirror,
    input: `${[...new Set(ids)].join('\n')}\n`,
    maxBytes: LISTING_BYTES,
    timeoutMs: TIMEOUT_MS,
  });
  for (let at = 0; at < stdout.length;) {
    const end = stdout.indexOf(10, at);
    const [id = '', , size = ''] = stdout.toString('latin1', at, end).split(' ');
    const start = end + 1;
    blobs.set(id, stdout.subarray(start, start + Number(size)));
    at = start + Number(size) + 1;
  }
  return blobs;
}
