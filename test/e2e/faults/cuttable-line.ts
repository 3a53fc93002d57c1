// A line between worker and orchestrator that can be cut: while it is, no byte passes either way and nobody is told,
// as when a cable is pulled. Used by the fault tests.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

export interface Line {
  /** Where the worker finds the orchestrator. */
  url: string;
  cut(): void;
  /** Bytes pass again, over new connections: those from before are gone. */
  mend(): void;
  close(): void;
}

/** Opens a line to the server at `target`. */
export async function openLine(target: string): Promise<Line> {
  const { hostname, port } = new URL(target);
  const ends = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket) => {
    ends.add(socket);
    socket.on('error', () => {}).once('close', () => ends.delete(socket));
    if (isCut) socket.pause();
  };
  const server = createServer((near) => {
    keep(near);
    if (isCut) return;
    const far = connect(Number(port), hostname);
    keep(far);
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      for (const end of ends) end.unpipe().pause();
    },
    mend() {
      isCut = false;
      for (const end of ends) end.destroy();
    },
    close() {
      server.close();
      for (const end of ends) end.destroy();
    },
  };
}
