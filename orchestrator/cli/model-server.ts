// A model server as people name it on the command line. Used by the demo and `replay record`.
import { readText } from './task/add.ts';
import { AutocodeError } from '../../protocol/errors.ts';

/** The base address of a server, without the `/v1` that most documentation writes behind it. */
export function serverAddress(url: string): string {
  const address = url.trim().replace(/\/+$/, '').replace(/\/v1$/, '');
  if (URL.canParse(address) && /^https?:\/\//.test(address)) return address;
  throw new AutocodeError('ERR_INVALID_INPUT', `"${url}" is no http or https address.`, {
    remedy: 'Give it as http://127.0.0.1:8000/v1.',
  });
}

/** A key from a file, or from stdin for `-`. */
export function readSecret(path: string): string {
  const secret = readText(path).trim();
  if (secret !== '' && !secret.includes('\n')) return secret;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `${path} holds ${secret === '' ? 'nothing' : 'more than one line'}.`,
    {
      remedy: 'Put the key alone into the file, in one line.',
    },
  );
}
