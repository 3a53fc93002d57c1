// In which header a secret may stand. Used by the API when a secret is bound.
import { AutocodeError } from '../../../protocol/errors.ts';

/** Of the connection, or shown in records of traffic (SHOWN in proxy-addon/redact.py). */
const NOT_THESE = new Set(
  `accept accept-encoding accept-language accept-ranges age allow cache-control connection
  content-disposition content-encoding content-language content-length content-range content-type
  date etag expect expires host if-modified-since if-none-match keep-alive last-modified
  proxy-authorization proxy-connection range retry-after sec-websocket-protocol
  sec-websocket-version server te trailer transfer-encoding upgrade user-agent vary via`.split(/\s+/),
);

/** ERR_INVALID_INPUT for a header that is no place for a secret. */
export function checkPlace(place: string): void {
  const name = /^header:(.*)$/.exec(place)?.[1];
  if (name === undefined || !NOT_THESE.has(name.toLowerCase())) return;
  throw new AutocodeError('ERR_INVALID_INPUT', `The header ${name} is no place for a secret.`, {
    remedy:
      'It belongs to the connection, or is shown in records of traffic. Name another, or use bearer or basic.',
  });
}
