// The two ways that lead out of a sandbox, each a port on 127.0.0.1 inside, a unix socket of the run and a relay between them: to the
// model gateway, and to the egress proxy. A program sees the sockets of its own ways alone. Used by confined.ts and its starters.
import { existsSync } from 'node:fs';
import { INSIDE, type Layout } from './layout.ts';

/** The ways that a program has. */
export interface Ways {
  gateway: boolean;
  egress: boolean;
}

/** Where the relays inside listen: the model gateway and the proxy as programs see them. */
export const GATEWAY_PORT = 4010;
export const EGRESS_PORT = 4011;

const SOCAT = '/usr/bin/socat';
const PROXY = `http://127.0.0.1:${EGRESS_PORT}`;
const NEAR = 'localhost,127.0.0.1,::1';

/** What a program with these ways sees. */
export function layoutFor(layout: Layout, { gateway, egress }: Ways): Layout {
  return {
    ...layout,
    gatewaySocket: gateway ? layout.gatewaySocket : null,
    egress: egress ? layout.egress : null,
  };
}

/** The relays for these ways, a line each, for the script that starts a program: the port in the kernel's words, then the command. */
export function relayLines({ gateway, egress }: Ways, hostProgram: (program: string) => string[]): string {
  return [
    ...(gateway ? [relayLine(GATEWAY_PORT, INSIDE.gatewaySocket, hostProgram)] : []),
    ...(egress ? [relayLine(EGRESS_PORT, INSIDE.egressSocket, hostProgram)] : []),
  ].join('\n');
}

// A session of its own, so that it is in no process group that may be told to end.
function relayLine(port: number, socket: string, hostProgram: (program: string) => string[]): string {
  const command = existsSync(SOCAT)
    ? [
        ...hostProgram(SOCAT),
        '-t60',
        `TCP-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,backlog=64`,
        `UNIX-CONNECT:${socket}`,
      ]
    : [INSIDE.node, INSIDE.relay, String(port), socket];
  const listening = port.toString(16).toUpperCase().padStart(4, '0');
  return [listening, ...hostProgram('/usr/bin/setsid'), '--fork', ...command].join(' ');
}

/** How programs learn of the proxy and of the authority that it signs by. */
export const EGRESS_VARIABLES: Record<string, string> = {
  HTTP_PROXY: PROXY,
  HTTPS_PROXY: PROXY,
  NO_PROXY: NEAR,
  http_proxy: PROXY,
  https_proxy: PROXY,
  no_proxy: NEAR,
  NODE_USE_ENV_PROXY: '1',
  npm_config_cafile: INSIDE.egressAuthority,
  NODE_EXTRA_CA_CERTS: INSIDE.egressAuthority,
  SSL_CERT_FILE: INSIDE.egressAuthority,
  REQUESTS_CA_BUNDLE: INSIDE.egressAuthority,
  PIP_CERT: INSIDE.egressAuthority,
  CURL_CA_BUNDLE: INSIDE.egressAuthority,
  GIT_SSL_CAINFO: INSIDE.egressAuthority,
  CARGO_HTTP_CAINFO: INSIDE.egressAuthority,
};
