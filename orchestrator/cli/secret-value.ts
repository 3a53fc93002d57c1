// The value of a secret as people give it: typed without being shown, from stdin or from a file. Used by the verbs of `secret`.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { AutocodeError } from '../../protocol/errors.ts';

/** A value from `file` (`-`: stdin); where there is none and somebody is there, it is asked for. */
export async function readValue(name: string, file: string | undefined): Promise<string> {
  if (file === undefined && process.stdin.isTTY) return await askHidden(`Value of ${name} (not shown): `);
  return readWhole(file ?? '-');
}

/** A text of any number of lines; the end of the last one does not belong to it. */
export function readWhole(file: string): string {
  const value = decoded(file).replace(/\r?\n$/, '');
  if (value !== '') return value;
  throw new AutocodeError('ERR_INVALID_INPUT', `${file} holds nothing.`, {
    remedy: 'Put the value into it; - is stdin.',
  });
}

/** Asks a person. Readline edits the line; what it would echo goes nowhere. */
export async function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  const line = await new Promise<string>((resolve) => {
    lines.once('line', resolve);
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  });
  lines.close();
  process.stderr.write('\n');
  return line;
}

function decoded(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      readFileSync(file === '-' ? 0 : file),
    );
  } catch (cause) {
    const binary = (cause as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      binary ? `${file} is not text.` : `${file} cannot be read: ${(cause as Error).message}.`,
      {
        remedy: binary
          ? 'Keep it as base64, as whoever uses it expects: `base64 FILE | autocode secret set NAME`.'
          : 'Give the path of a file, or - for stdin.',
        cause,
      },
    );
  }
}
