// Changes top-level members of a JSON body without touching any other byte: prompts are large, numbers must not be
// rounded, and an engine's prefix cache wants the same text again. Used by the gateway before a body goes out.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x7b, 0x5b]); // { [
const CLOSE = new Set([0x7d, 0x5d]); // } ]
const COLON = 0x3a;
const COMMA = 0x2c;

interface Member {
  name: string;
  start: number;
  end: number;
}

/** Less than this is copied sooner than sent on its own. */
const LARGE_BYTES = 64 * 1024;

/**
 * The body with the named members replaced, or added in front where they are missing, and the named lists longer by an
 * item; a large rest is not copied but a part of its own. `body` must be a JSON object.
 */
export function editBody(
  body: Buffer,
  changes: Record<string, unknown>,
  appended: Record<string, unknown> = {},
): Uint8Array | Uint8Array[] {
  const members = topLevelMembers(body);
  const present = new Set(members.map((member) => member.name));
  const added = Object.entries(changes).filter(([name]) => !present.has(name));
  const parts: Uint8Array[] = [];
  let copied = body.indexOf(0x7b) + 1;
  parts.push(body.subarray(0, copied));
  if (added.length > 0) {
    const text = added.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
    parts.push(Buffer.from(members.length === 0 ? text : `${text},`));
  }
  // A name that is given twice is replaced twice: which of them an engine reads is its own affair.
  for (const { name, start, end } of members) {
    if (Object.hasOwn(changes, name)) {
      parts.push(body.subarray(copied, start), Buffer.from(JSON.stringify(changes[name])));
      copied = end;
    } else if (Object.hasOwn(appended, name) && body[end - 1] === 0x5d) {
      const empty = body.subarray(start + 1, end - 1).every(isSpace);
      parts.push(
        body.subarray(copied, end - 1),
        Buffer.from(`${empty ? '' : ','}${JSON.stringify(appended[name])}`),
      );
      copied = end - 1;
    }
  }
  const rest = body.subarray(copied);
  return rest.length < LARGE_BYTES ? Buffer.concat([...parts, rest]) : [Buffer.concat(parts), rest];
}

function topLevelMembers(body: Buffer): Member[] {
  const members: Member[] = [];
  let depth = 0;
  let name: string | undefined;
  let text: { start: number; end: number } | undefined;
  let start = 0;
  const close = (end: number) => {
    if (name !== undefined) members.push({ name, ...trimmed(body, start, end) });
    name = undefined;
  };
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] as number;
    if (byte === QUOTE) {
      const end = endOfString(body, at);
      if (depth === 1) text = { start: at, end };
      at = end - 1;
    } else if (OPEN.has(byte)) {
      depth++;
    } else if (CLOSE.has(byte)) {
      if (--depth === 0) close(at);
    } else if (depth === 1 && byte === COLON && text !== undefined) {
      name = String(JSON.parse(body.toString('utf8', text.start, text.end)));
      start = at + 1;
    } else if (depth === 1 && byte === COMMA) {
      close(at);
    }
  }
  return members;
}

function endOfString(body: Buffer, open: number): number {
  for (let at = body.indexOf(QUOTE, open + 1); at > 0; at = body.indexOf(QUOTE, at + 1)) {
    let slashes = 0;
    while (body[at - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return body.length;
}

function trimmed(body: Buffer, start: number, end: number): { start: number; end: number } {
  while (start < end && isSpace(body[start])) start++;
  while (end > start && isSpace(body[end - 1])) end--;
  return { start, end };
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
