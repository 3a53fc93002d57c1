// Ports: a fixed one that is taken is an error; `auto` takes the one of last time where it is free, else any.
import { AutocodeError } from '../../protocol/errors.ts';

export interface Address {
  host: string;
  port: number | 'auto';
  /** The port of the last start, for `auto`. */
  last?: number | undefined;
  /** The configuration's key of the port, where it is not `port`. */
  key?: string;
}

/** Listens by `listen(host, port)`, which gives the port it got. `name` is the configuration's section. */
export async function listenOn(
  name: string,
  address: Address,
  listen: (host: string, port: number) => Promise<number>,
): Promise<number> {
  const { host, port, last, key = 'port' } = address;
  if (port === 'auto' && last !== undefined) {
    try {
      return await listen(host, last);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  try {
    return await listen(host, port === 'auto' ? 0 : port);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (isTaken(error)) {
      throw new AutocodeError(
        'ERR_PORT_TAKEN',
        `${name}.${key} ${port} on ${host} is taken by another program.`,
        {
          remedy: `Stop that program (\`ss -ltnp 'sport = :${port}'\` names it), or set ${name}.${key} to another number or to auto.`,
          cause: error,
        },
      );
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new AutocodeError(
        'ERR_CONFIG',
        `${name} cannot listen on ${host}:${port}: ${(error as Error).message}.`,
        {
          remedy: `Set ${name}.host to an address of this machine and ${name}.${key} to one of 1024 or above.`,
          cause: error,
        },
      );
    }
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}
