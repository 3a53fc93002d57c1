// fetch for a daemon whose authority is named by --ca-file or AUTOCODE_CA_FILE. Used by client.ts.
import { readFileSync } from 'node:fs';
import { AutocodeError } from '../../protocol/errors.ts';

type Fetch = typeof fetch;

const known = new Map<string, Fetch>();

/** Node's own where no file is named; else one that trusts that authority and no other. */
export async function fetchTrusting(caFile: string | undefined): Promise<Fetch> {
  if (caFile === undefined) return fetch;
  const before = known.get(caFile);
  if (before !== undefined) return before;
  const ca = read(caFile);
  const { Agent, fetch: send } = await import('undici');
  const dispatcher = new Agent({ connect: { ca } });
  const made = ((url: URL, init: object) => send(url, { ...init, dispatcher })) as unknown as Fetch;
  known.set(caFile, made);
  return made;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${file} cannot be read: ${(cause as Error).message}.`, {
      remedy: "Give the path of the authority's certificate, as `<dataDir>/tls/ca.crt` of the daemon.",
      cause,
    });
  }
}
