// A server over TLS on the same request handler as a plain one: for workers on other machines.
// Used by daemon/worker-tls.ts for the API and for the gateway.
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { KeptIdentity } from './identity.ts';

export interface SecureListener {
  port: number;
  /** Takes nothing more; connections that are still busy after the patience are cut. */
  stop(patienceMs: number): Promise<void>;
}

export interface SecureOptions {
  /** Chooses host and port, and tells the port that it became. */
  place(listen: (host: string, port: number) => Promise<number>): Promise<number>;
  identity: KeptIdentity;
  handle: RequestListener;
  /** Answers what is not HTTP. */
  refuse?: (error: Error, socket: Socket) => void;
  warn(message: string): void;
}

// Longer than any client keeps an idle connection, so that none sends into one that is being closed.
const KEEP_ALIVE_MS = 75_000;
const HANDSHAKE_MS = 20_000;
const TOLD_EVERY_MS = 60_000;

/** Listens until stopped; a new certificate holds for new connections, open ones go on. */
export async function listenSecurely(options: SecureOptions): Promise<SecureListener> {
  const { place, identity, handle, refuse, warn } = options;
  const server = createServer(
    {
      ...contextOf(identity.current()),
      handshakeTimeout: HANDSHAKE_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: 0, // a push takes as long as it takes
    },
    handle,
  );
  identity.onChange((next) => server.setSecureContext(contextOf(next)));
  if (refuse !== undefined) server.on('clientError', refuse);
  tellRefusals(server, warn);
  const port = await place(async (host, number) => {
    server.listen(number, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  });
  return {
    port,
    async stop(patienceMs) {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), patienceMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

function contextOf({ certificate, key }: { certificate: string; key: string }) {
  return { cert: certificate, key, minVersion: 'TLSv1.2' as const };
}

const REFUSALS: Record<string, string> = {
  ERR_SSL_HTTP_REQUEST: 'it spoke HTTP without TLS; its address has to begin with https://',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks TLS 1.1 or older; 1.2 is the least',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    'it does not know the authority of this machine; `autocode worker invite` prints how it joins',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'it refuses the certificate (`autocode tls show`)',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it refuses the certificate (`autocode tls show`)',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    'the certificate has expired by its clock; compare the clocks of both machines',
};

/** Says why somebody did not get in, each reason at most once a minute. */
function tellRefusals(server: ReturnType<typeof createServer>, warn: (message: string) => void): void {
  const told = new Map<string, number>();
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    const words = REFUSALS[error.code ?? ''];
    const last = told.get(error.code ?? '') ?? -Infinity;
    if (words === undefined || performance.now() - last < TOLD_EVERY_MS) return;
    told.set(error.code ?? '', performance.now());
    warn(`a connection from ${socket.remoteAddress ?? 'another machine'} was refused: ${words}`);
  });
}
