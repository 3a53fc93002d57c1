// Git's unified difference, read into files, hunks and lines with their numbers on both sides. Used by the diff view.

export interface DiffLine {
  kind: 'same' | 'added' | 'deleted';
  old: number | null;
  new: number | null;
  text: string;
}

export interface Hunk {
  /** What git says after the numbers: the function that it is in. */
  section: string;
  lines: DiffLine[];
}

export interface DiffFile {
  path: string;
  /** Before it was renamed. */
  oldPath: string | null;
  status: 'added' | 'deleted' | 'renamed' | 'modified';
  binary: boolean;
  /** As `100755`, where it changed. */
  mode: string | null;
  hunks: Hunk[];
  added: number;
  deleted: number;
}

/** The files of a difference. */
export function parsePatch(patch: string): DiffFile[] {
  const files: DiffFile[] = [];
  let file: DiffFile | undefined;
  let left = { old: 0, new: 0 };
  let at = { old: 0, new: 0 };
  for (const line of patch.split('\n')) {
    const hunk = file?.hunks.at(-1);
    if (hunk !== undefined && (left.old > 0 || left.new > 0)) {
      addLine(file!, hunk, line, at, left);
      continue;
    }
    const range = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/.exec(line);
    if (line.startsWith('diff --git ')) files.push((file = newFile(line)));
    else if (file === undefined) continue;
    else if (range !== null) {
      at = { old: Number(range[1]), new: Number(range[3]) };
      left = { old: Number(range[2] ?? 1), new: Number(range[4] ?? 1) };
      file.hunks.push({ section: range[5]!, lines: [] });
    } else readHeader(file, line);
  }
  return files;
}

type Sides = Record<'old' | 'new', number>;

function addLine(file: DiffFile, hunk: Hunk, line: string, at: Sides, left: Sides): void {
  const text = line.slice(1);
  if (line.startsWith('\\')) return; // no newline at the end
  const kind = line.startsWith('+') ? 'added' : line.startsWith('-') ? 'deleted' : 'same';
  hunk.lines.push({
    kind,
    old: kind === 'added' ? null : at.old++,
    new: kind === 'deleted' ? null : at.new++,
    text,
  });
  if (kind !== 'added') left.old--;
  if (kind !== 'deleted') left.new--;
  if (kind !== 'same') file[kind]++;
}

function newFile(line: string): DiffFile {
  // Both names are the same unless it says otherwise below; a name may have blanks in it.
  const names = line.slice('diff --git '.length);
  const quoted = /^("(?:[^"\\]|\\.)*") /.exec(names);
  const first = quoted === null ? names.slice(0, (names.length - 1) / 2) : quoted[1]!;
  return {
    path: withoutPrefix(first),
    oldPath: null,
    status: 'modified',
    binary: false,
    mode: null,
    hunks: [],
    added: 0,
    deleted: 0,
  };
}

function readHeader(file: DiffFile, line: string): void {
  const after = (start: string) => (line.startsWith(start) ? line.slice(start.length) : undefined);
  const renamed = after('rename to ');
  const from = after('rename from ');
  const path = after('+++ ') ?? after('--- ');
  if (line.startsWith('new file mode')) file.status = 'added';
  else if (line.startsWith('deleted file mode')) file.status = 'deleted';
  else if (line.startsWith('new mode')) file.mode = line.slice('new mode '.length);
  else if (line.startsWith('Binary files ')) file.binary = true;
  else if (from !== undefined) file.oldPath = unquoted(from);
  else if (renamed !== undefined) Object.assign(file, { path: unquoted(renamed), status: 'renamed' });
  else if (path !== undefined && path !== '/dev/null') file.path = withoutPrefix(path.replace(/\t$/, ''));
}

function withoutPrefix(name: string): string {
  return unquoted(name).replace(/^[ab]\//, '');
}

const ESCAPES: Record<string, number> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11 };

/** A name as git quotes it where it has bytes beside plain ones. */
function unquoted(name: string): string {
  if (!name.startsWith('"')) return name;
  const bytes: number[] = [];
  for (const [, octal, letter, plain] of name.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\])/gs)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (letter !== undefined) bytes.push(ESCAPES[letter] ?? letter.charCodeAt(0));
    else bytes.push(...new TextEncoder().encode(plain));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

/** A row of the view side by side. */
export interface Pair {
  old: DiffLine | null;
  new: DiffLine | null;
}

/** Lines side by side: what was deleted beside what came in its place. */
export function pairsOf({ lines }: Hunk): Pair[] {
  const pairs: Pair[] = [];
  let deleted: DiffLine[] = [];
  let added: DiffLine[] = [];
  const flush = () => {
    for (let row = 0; row < Math.max(deleted.length, added.length); row++)
      pairs.push({ old: deleted[row] ?? null, new: added[row] ?? null });
    deleted = [];
    added = [];
  };
  for (const line of lines) {
    if (line.kind === 'deleted') {
      if (added.length > 0) flush();
      deleted.push(line);
    } else if (line.kind === 'added') added.push(line);
    else {
      flush();
      pairs.push({ old: line, new: line });
    }
  }
  flush();
  return pairs;
}
