// Reads a tar entry by entry: ustar, with the extensions of POSIX and GNU for long names and large files. Nothing is written
// anywhere. Used for the archives that people bring and for those that the store takes.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { TarInput } from './input.ts';

export type TarKind = 'file' | 'directory' | 'link' | 'hard-link' | 'other';

export interface TarEntry {
  /** As it stands there. */
  name: string;
  kind: TarKind;
  mode: number;
  /** Seconds since 1970. */
  mtime: number;
  size: number;
  /** Of links, as it stands there. */
  target: string;
  /** Where its bytes begin in the input. */
  offset: number;
}

const BLOCK = 512;
/** Names and pax records; nothing real comes near. */
const LONGEST_RECORD = 1024 * 1024;
const KINDS: Record<string, TarKind> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hard-link',
  '2': 'link',
  '5': 'directory',
};
/** Links, devices, directories and pipes; a size in their header counts for nothing. */
const WITHOUT_BYTES = '123456';
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The entries in their order. Who wants the bytes of one reads them from the input before asking for the next. */
export async function* tarEntries(input: TarInput): AsyncGenerator<TarEntry> {
  let pax: Record<string, string> = {};
  let [longName, longTarget]: (string | undefined)[] = [];
  for (;;) {
    const header = await input.read(BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (header.length < BLOCK) throw damaged('it ends in the middle of a header');
    checkSum(header);
    const type = String.fromCharCode(header[156]!);
    const size =
      pax.size === undefined || 'xgLK'.includes(type) ? numberAt(header, 124, 12) : Number(pax.size);
    if (!Number.isSafeInteger(size) || size < 0) throw damaged('a size is no number');
    const offset = input.position;
    if ('xgLK'.includes(type)) {
      if (size > LONGEST_RECORD) throw damaged('a name is longer than 1 MiB');
      const record = await input.read(size);
      if (record.length < size) throw damaged('it ends in the middle of a name');
      if (type === 'x') pax = paxOf(record);
      else if (type === 'L') longName = textAt(record, 0, size);
      else if (type === 'K') longTarget = textAt(record, 0, size);
    } else {
      if (type === 'S' || pax['GNU.sparse.major'] !== undefined || pax['GNU.sparse.map'] !== undefined)
        throw damaged('it has sparse files; make it without --sparse');
      const prefix = textAt(header, 257, 5) === 'ustar' && header[262] === 0 ? textAt(header, 345, 155) : '';
      const short = textAt(header, 0, 100);
      const name = pax.path ?? longName ?? (prefix === '' ? short : `${prefix}/${short}`);
      const kind = name.endsWith('/') && KINDS[type] === 'file' ? 'directory' : (KINDS[type] ?? 'other');
      const target = pax.linkpath ?? longTarget ?? textAt(header, 157, 100);
      const mtime = Math.max(0, Math.floor(Number(pax.mtime ?? numberAt(header, 136, 12)) || 0));
      [pax, longName, longTarget] = [{}, undefined, undefined];
      const bytes = kind === 'file' ? size : 0;
      yield { name, kind, mode: numberAt(header, 100, 8) & 0o7777, mtime, size: bytes, target, offset };
    }
    const follow = WITHOUT_BYTES.includes(type) ? 0 : size;
    const end = offset + Math.ceil(follow / BLOCK) * BLOCK;
    await input.skip(end - input.position);
  }
}

function checkSum(header: Buffer): void {
  let sum = 8 * 32; // its own field counts as spaces
  for (let index = 0; index < BLOCK; index++) if (index < 148 || index >= 156) sum += header[index]!;
  if (sum !== numberAt(header, 148, 8)) throw damaged('a header has another sum than it says');
}

// Octal digits; or, for what these cannot hold, the number itself with the highest bit set.
function numberAt(header: Buffer, at: number, length: number): number {
  if ((header[at]! & 0x80) !== 0) {
    const bytes = Buffer.from(header.subarray(at, at + length));
    bytes[0]! &= 0x7f;
    return Number(BigInt(`0x${bytes.toString('hex')}`));
  }
  const digits = header
    .subarray(at, at + length)
    .toString('latin1')
    .replaceAll('\0', ' ')
    .trim();
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : NaN;
}

function textAt(bytes: Buffer, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return decoded(end === -1 ? field : field.subarray(0, end));
}

function decoded(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw damaged(`a name is not UTF-8: ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`);
  }
}

/** Records as `27 path=a/long/name\n`, each with its own length. */
function paxOf(bytes: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at);
    const length = Number(bytes.subarray(at, space).toString('latin1'));
    if (space === -1 || !Number.isSafeInteger(length) || length < 5 || at + length > bytes.length)
      throw damaged('an extended header is cut off');
    const record = bytes.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(61);
    const key = record.subarray(0, equals).toString('latin1');
    if (/^(path|linkpath|size|mtime|GNU\.sparse\..*)$/.test(key))
      found[key] = decoded(record.subarray(equals + 1));
    at += length;
  }
  return found;
}

function damaged(why: string): AutocodeError {
  return new AutocodeError('ERR_ENVIRONMENT', `The archive is not a tar that can be read: ${why}.`, {
    remedy: 'Make it anew with GNU tar, `docker save` or another program that writes OCI images.',
  });
}
