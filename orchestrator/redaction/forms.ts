// In which ways the value of a secret may stand in a text: as it is, escaped, encoded, in parts. Used by redactor.ts.
import type { LiveValue } from '../secrets/live-values.ts';
import { notRedactable } from '../secrets/redactable.ts';

/** What looks random in a value of several lines: alone it is as good as found, and logs cut texts into lines. */
const RANDOM = /^(?=.*\d)(?=.*[A-Za-z])(?!.*:\/\/)\S{12,}$/;
const LINE_OF_KEY = /^[A-Za-z0-9+/]{10,}={0,2}$/;
/** Members of a secret in JSON that say where and who, not what opens: such texts stand in many places. */
const NO_SECRET = /(uri|url|type|email|user|username|holder|host|address|name|id)$/i;
const SHORTEST_MEMBER = 12;

/** All texts that give a value away, each once, with what it is. */
export function formsOf(live: readonly LiveValue[]): Map<string, string> {
  const forms = new Map<string, string>();
  for (const { name, value } of live)
    for (const part of partsOf(value.toWellFormed()))
      for (const form of encodings(part)) if (!forms.has(form)) forms.set(form, `secret: ${name}`);
  return forms;
}

/** The value, what looks random in its lines, lines of a key, and what opens something in a secret with members. */
function partsOf(value: string): string[] {
  const whole = value.trim();
  return [whole, ...wordsOf(whole), ...membersOf(whole)].filter((part) => notRedactable(part) === null);
}

function wordsOf(text: string): string[] {
  if (text.startsWith('{') || !text.includes('\n')) return [];
  const isKey = text.includes('-----BEGIN ');
  return text.split(/\s+/).filter((word) => RANDOM.test(word) || (isKey && LINE_OF_KEY.test(word)));
}

function membersOf(text: string): string[] {
  if (!text.startsWith('{')) return [];
  try {
    return Object.entries(JSON.parse(text) as object).flatMap(([name, member]) =>
      typeof member === 'string' &&
      member.length >= SHORTEST_MEMBER &&
      !NO_SECRET.test(name) &&
      !member.includes('://')
        ? partsOf(member)
        : [],
    );
  } catch {
    return [];
  }
}

function encodings(part: string): Set<string> {
  const plain = [part, part.replaceAll('\n', '\r\n')];
  const inJson = plain.flatMap((each) => [escaped(each), ascii(escaped(each))]);
  const percent = encodeURIComponent(part);
  const strict = percent.replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const inAddress = [percent, strict].flatMap((each) => [each, each.replaceAll('%20', '+')]);
  const inBase64 = base64(Buffer.from(part));
  const forms = [
    ...plain,
    ...inJson,
    ...inJson.map(escaped),
    ...inAddress,
    ...inAddress.map((each) => each.replaceAll(/%../g, (code) => code.toLowerCase())),
    ...inBase64,
    ...inBase64.map((each) => each.replaceAll('+', '-').replaceAll('/', '_')),
  ];
  // Bytes are searched as Latin-1: there each character beyond ASCII is several.
  return new Set(forms.flatMap((form) => [form, Buffer.from(form).toString('latin1')]));
}

const escaped = (text: string) => JSON.stringify(text).slice(1, -1);

const ascii = (text: string) =>
  text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** What base64 makes of the bytes wherever they stand in what is encoded: its digits that these bytes alone decide. */
function base64(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
}
