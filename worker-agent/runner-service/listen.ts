// Where the runner service listens: on the socket that systemd holds for it, else on one that it makes. Used by main.ts.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import path from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { isListening } from '../lock.ts';

/** The same as in autocode-runner.socket: work orders hold tokens. */
const MODE = 0o660;

/** Begins to listen; resolves when claimers can connect. */
export async function listenFor(
  server: Server,
  given: { fd: number } | undefined,
  socket: string | undefined,
): Promise<void> {
  if (given !== undefined) server.listen(given);
  else if (socket !== undefined) {
    await mkdir(path.dirname(socket), { recursive: true });
    if (existsSync(socket) && (await isListening(socket))) throw taken(socket);
    await rm(socket, { force: true }); // left by one that was killed
    server.listen(socket);
  } else {
    throw new AutocodeError('ERR_CONFIG', 'The runner service has nowhere to listen.', {
      remedy: 'Start it by autocode-runner.socket, or give --socket PATH.',
    });
  }
  await once(server, 'listening');
  if (given === undefined) await chmod(socket!, MODE);
}

function taken(socket: string): AutocodeError {
  return new AutocodeError('ERR_CONFLICT', `Another runner service listens on ${socket}.`, {
    remedy: 'Stop it, or give this one another socket.',
  });
}
