// Writes the headers of a tar in the one way that archives of environments have: without owners, set-user-id bits or access times, so
// that the same files give the same bytes. Used by import/write.ts and store/receive.ts.

const BLOCK = 512;
const MOST_OCTAL = 0o77777777777;
const TYPES = { file: '0', 'hard-link': '1', link: '2', directory: '5' } as const;

export interface WrittenEntry {
  name: string;
  kind: keyof typeof TYPES;
  mode: number;
  mtime: number;
  size: number;
  target: string;
}

/** The end of a tar. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

/** Header blocks of an entry. Its owner may read it, and everybody what its mode says. */
export function headerOf(entry: WrittenEntry): Buffer {
  const { name, target, size, mtime } = entry;
  const records = {
    ...(Buffer.byteLength(name) > 100 ? { path: name } : {}),
    ...(Buffer.byteLength(target) > 100 ? { linkpath: target } : {}),
    ...(size > MOST_OCTAL ? { size: String(size) } : {}),
  };
  const pax = Object.entries(records).map(paxRecord).join('');
  const bytes = Buffer.from(pax);
  const extended =
    pax === ''
      ? []
      : [
          block({ name: 'pax', mode: 0o644, mtime, size: bytes.length, target: '' }, 'x'),
          bytes,
          padding(bytes.length),
        ];
  return Buffer.concat([...extended, block({ ...entry, mode: modeOf(entry) }, TYPES[entry.kind])]);
}

/** What follows the bytes of an entry. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

function modeOf({ kind, mode }: WrittenEntry): number {
  if (kind === 'link') return 0o777;
  return kind === 'directory' ? (mode & 0o777) | 0o700 : (mode & 0o777) | 0o400;
}

function block({ name, mode, mtime, size, target }: Omit<WrittenEntry, 'kind'>, type: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.set(Buffer.from(name).subarray(0, 100), 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size > MOST_OCTAL ? 0 : size, 11), 124);
  header.write(octal(Math.min(mtime, MOST_OCTAL), 11), 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.set(Buffer.from(target).subarray(0, 100), 157);
  header.write('ustar\0' + '00', 257);
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return header;
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');

// The length counts its own digits.
function paxRecord([key, value]: [string, string]): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
