// Asks before something that is not easily undone. Used by verbs that take --yes.
import { createInterface } from 'node:readline/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import { Exit } from './command.ts';

/** Shows what it is about and asks; anything but yes ends the CLI with 1, and where nobody can be asked `unasked` is the error. */
export async function confirm(
  about: string[],
  question: string,
  unasked: { message: string; remedy: string },
): Promise<void> {
  if (!process.stdin.isTTY)
    throw new AutocodeError('ERR_INVALID_INPUT', unasked.message, { remedy: unasked.remedy });
  process.stderr.write(`${about.map((line) => `  ${line}\n`).join('')}`);
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask.question(`${question} [y/N] `);
  ask.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Exit(1);
}
