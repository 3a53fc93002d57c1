// A real OpenID provider on loopback that signs in whoever the test says, and a browser that goes where it is sent.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
// @ts-expect-error it comes without types
import OidcProvider from 'oidc-provider';

export interface Account {
  sub: string;
  preferred_username?: string;
  email?: string;
  email_verified?: boolean;
  groups?: string[];
}

export interface TestProvider {
  issuer: string;
  /** Who is at the provider's keyboard. */
  account: Account;
  /** Makes it known to one client; it answers from then on. */
  serve(client: { id: string; secret: string; redirectUri: string }): void;
  stop(): Promise<void>;
}

/** As much of the provider as is used here. */
interface Served {
  callback(): (request: IncomingMessage, response: ServerResponse) => void;
  interactionDetails(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{ uid: string; params: { client_id: string; scope: string } }>;
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
  Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
}

/** Starts it on a free port of loopback. */
export async function testProvider(account: Account): Promise<TestProvider> {
  let handle: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    void response.writeHead(503).end();
  const server = createServer((request, response) => handle(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const made: TestProvider = {
    issuer,
    account,
    serve({ id, secret, redirectUri }) {
      const provider = new OidcProvider(issuer, {
        clients: [{ client_id: id, client_secret: secret, redirect_uris: [redirectUri] }],
        claims: {
          openid: ['sub'],
          profile: ['preferred_username'],
          email: ['email', 'email_verified'],
          groups: ['groups'],
        },
        scopes: ['openid', 'profile', 'email', 'groups'],
        features: { devInteractions: { enabled: false } },
        interactions: { url: () => '/interaction' },
        cookies: { keys: ['a key of a test'] },
        findAccount: () => ({ accountId: made.account.sub, claims: () => made.account }),
      }) as Served;
      const inner = provider.callback();
      handle = (request, response) => {
        if (request.url !== '/interaction') return inner(request, response);
        interact(provider, made, request, response).catch((error: unknown) => {
          response.writeHead(500).end(String(error));
        });
      };
    },
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
  return made;
}

async function interact(
  provider: Served,
  { account }: TestProvider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: account.sub, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = {
    login: { accountId: account.sub, remember: false },
    consent: { grantId: await grant.save() },
  };
  await provider.interactionFinished(request, response, result);
}

/** A browser with a jar of cookies a host and port. */
export function testBrowser() {
  const jar = new Map<string, Map<string, string>>();
  const go = async (url: string): Promise<Response> => {
    const { host } = new URL(url);
    const cookies = jar.get(host) ?? new Map<string, string>();
    jar.set(host, cookies);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const each of response.headers.getSetCookie()) {
      const [name = '', value = ''] = each.split(';')[0]!.split(/=(.*)/s);
      if (value === '' || /expires=Thu, 01 Jan 1970|max-age=0/i.test(each)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  return {
    go,
    /** Goes where it is sent, up to an address that `until` matches, which is not gone to. */
    async follow(url: string, until: RegExp): Promise<string> {
      let at = url;
      for (let hops = 0; hops < 20 && !until.test(at); hops++) {
        const response = await go(at);
        const next = response.headers.get('location');
        if (next === null) throw new Error(`${at} answered ${response.status}: ${await response.text()}`);
        at = new URL(next, at).href;
      }
      return at;
    },
  };
}
