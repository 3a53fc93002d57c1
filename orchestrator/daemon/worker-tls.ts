// TLS for workers on other machines: the second listeners of API and gateway, and what workers are told of them.
// Loaded by main.ts where `tls` is configured.
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { PartHealth } from '../../protocol/status.ts';
import type { ApiTls } from '../api/context.ts';
import { listenOn } from '../api/listen.ts';
import type { DataDirectory } from '../config/data-directory.ts';
import type { TlsSettings } from '../config/tls-settings.ts';
import { fingerprintOf, identityOf, keepIdentity, namesOf } from '../tls/identity.ts';
import { listenSecurely, type SecureListener } from '../tls/listener.ts';
import type { Ports } from './ports.ts';

/** Puts a request handler behind TLS too; the one that a server already has. */
export type SecureServing = (
  handle: RequestListener,
  refuse?: (error: Error, socket: Socket) => void,
) => Promise<SecureListener>;

export interface WorkerTls {
  serveApi: SecureServing;
  serveGateway: SecureServing;
  /** What the API's routes ask. */
  api: ApiTls;
  /** The ports that it got, or knows from the last start. */
  ports: Pick<Ports, 'tls' | 'tlsGateway'>;
  health(): PartHealth;
  stop(): Promise<void>;
}

const DAY_MS = 86_400_000;
const SHORT_DAYS = 14;

/** Opens the identity, whose files are looked at until `stop`; listens to nothing by itself. */
export async function openWorkerTls(
  settings: TlsSettings,
  directory: DataDirectory,
  last: Ports,
  log: { warn(message: string): void },
): Promise<WorkerTls> {
  const path = directory.path('tls');
  const warn = (message: string) => log.warn(message);
  const identity = await keepIdentity(async () => await identityOf(path, settings, new Date()), warn);
  const ports: WorkerTls['ports'] = {
    tls: settings.port === 'auto' ? last.tls : settings.port,
    tlsGateway: settings.gatewayPort === 'auto' ? last.tlsGateway : settings.gatewayPort,
  };
  const serving =
    (name: 'tls' | 'tlsGateway', port: number | 'auto'): SecureServing =>
    async (handle, refuse) => {
      const key = name === 'tls' ? 'port' : 'gatewayPort';
      const address = { host: settings.host, port, last: last[name], key };
      const listener = await listenSecurely({
        place: async (listen) => await listenOn('tls', address, listen),
        identity,
        handle,
        warn,
        ...(refuse === undefined ? {} : { refuse }),
      });
      ports[name] = listener.port;
      return listener;
    };
  const url = () => `https://${bracketed(namesOf(settings)[0] ?? settings.host)}:${ports.tls}`;
  return {
    serveApi: serving('tls', settings.port),
    serveGateway: serving('tlsGateway', settings.gatewayPort),
    ports,
    api: {
      url,
      authority: () => identity.current().authority,
      fingerprint: () => fingerprintOf(identity.current().authority),
      gatewayUrl: (request) => gatewayUrl(request, ports.tlsGateway),
    },
    health() {
      const until = new Date(new X509Certificate(identity.current().certificate).validTo);
      const short = until.getTime() - Date.now() < SHORT_DAYS * DAY_MS;
      const detail = `${url()}, certificate until ${until.toISOString().slice(0, 10)}`;
      return { name: 'tls', state: short ? 'degraded' : 'ok', detail };
    },
    stop: async () => identity.stop(),
  };
}

// A worker that came in over TLS gets to the gateway by the name that it used: it knows that one, and can reach it.
function gatewayUrl(request: IncomingMessage, port: number | undefined): string | null {
  if (!('encrypted' in request.socket) || port === undefined) return null;
  const { hostname } = new URL(`https://${request.headers.host ?? 'localhost'}`);
  return `https://${hostname}:${port}`;
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
