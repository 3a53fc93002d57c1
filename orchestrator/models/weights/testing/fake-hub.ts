// A hub of models over real HTTP, as Hugging Face's answers: lists with sums, redirects to another host for large files, ranges.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeHub {
  url: string;
  /** Requests for the bytes of a file: its name, the range, the authorization that came along. */
  reads: {
    path: string;
    range: string | undefined;
    authorization: string | undefined;
    host: 'hub' | 'store';
  }[];
  /** What is sent in place of a file. */
  instead: Map<string, Buffer>;
  /** Cuts the connection after so many bytes of a file, once. */
  cut: Map<string, number>;
  close(): void;
}

const COMMIT = 'c0ffee0000000000000000000000000000000000';
const LARGE = 1000;

/** One open model, Org/Open, and one for which the token `let-me-in` is needed, Org/Gated. */
export async function startFakeHub(files: Record<string, Buffer>): Promise<FakeHub> {
  const hub: Omit<FakeHub, 'url' | 'close'> = { reads: [], instead: new Map(), cut: new Map() };
  let storeUrl = '';
  const end = (response: ServerResponse, status: number, body: string | Buffer = '', headers = {}) =>
    void response.writeHead(status, headers).end(body);
  const send = (request: IncomingMessage, response: ServerResponse, name: string, host: 'hub' | 'store') => {
    const { range, authorization } = request.headers;
    hub.reads.push({ path: name, range, authorization, host });
    const whole = hub.instead.get(name) ?? files[name];
    if (whole === undefined) return end(response, 404);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const content = whole.subarray(from);
    const headers = { 'content-length': content.length };
    const cut = hub.cut.get(name);
    if (cut === undefined) return end(response, range === undefined ? 200 : 206, content, headers);
    hub.cut.delete(name);
    response.writeHead(range === undefined ? 200 : 206, headers);
    response.write(content.subarray(0, cut), () => response.destroy());
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://hub');
    const gated = pathname.includes('/Org/Gated') && request.headers.authorization !== 'Bearer let-me-in';
    if (gated) return end(response, 401, '{"error":"Access to model Org/Gated is restricted"}');
    if (/^\/api\/models\/Org\/(Open|Gated)\/revision\/main$/.test(pathname)) {
      const siblings = Object.entries(files).map(([rfilename, content]) => ({
        rfilename,
        size: content.length,
        blobId: createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex'),
        ...(content.length < LARGE
          ? {}
          : { lfs: { sha256: createHash('sha256').update(content).digest('hex'), size: content.length } }),
      }));
      return end(response, 200, JSON.stringify({ sha: COMMIT, siblings }), {
        'content-type': 'application/json',
      });
    }
    const [, name] = new RegExp(`^/Org/(?:Open|Gated)/resolve/${COMMIT}/(.+)$`).exec(pathname) ?? [];
    if (name === undefined) return end(response, 404);
    if ((files[name]?.length ?? 0) < LARGE) return send(request, response, name, 'hub');
    return end(response, 302, '', { location: `${storeUrl}/${name}` });
  });
  const store = createServer((request, response) =>
    send(request, response, (request.url ?? '').slice(1), 'store'),
  );
  const addresses = await Promise.all(
    [server, store].map(async (each) => {
      await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(each.address() as AddressInfo).port}`;
    }),
  );
  storeUrl = addresses[1]!.replace('127.0.0.1', 'localhost');
  return Object.assign(hub, {
    url: addresses[0]!,
    close: () => [server, store].forEach((each) => (each.closeAllConnections(), each.close())),
  });
}
