// A connection to a server on loopback on which tests cut requests off, answer in the server's place, or hold answers back.
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer that is not the server's. */
export interface Canned {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

type Holds = (line: string) => boolean;

/** Opens it; what comes is told as `POST /path`. */
export async function openLine(target: string) {
  let cutsHere: Holds | undefined;
  let onCut = () => {};
  let isCut = false;
  let answering: { holds: Holds; answer: Canned; times: number } | undefined;
  let holding: { holds: Holds; held: () => Promise<void> } | undefined;
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    if (isCut) return void request.socket.destroy();
    const told = `${request.method} ${request.url}`;
    seen.push(told);
    if (answering !== undefined && answering.times > 0 && answering.holds(told)) {
      answering.times -= 1;
      const { status, headers, body = '' } = answering.answer;
      return void request.resume().on('end', () => response.writeHead(status, headers).end(body));
    }
    const last = cutsHere?.(told) ?? false;
    isCut = last;
    const held = holding?.holds(told) === true ? holding.held : undefined;
    const { hostname, port } = new URL(target);
    const onward = http.request(
      { hostname, port, method: request.method, path: request.url, headers: request.headers },
      async (answer) => {
        if (last) {
          answer.resume().on('end', () => request.socket.destroy());
          return onCut();
        }
        await held?.();
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => request.socket.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { pathname } = new URL(target);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname.replace(/\/$/, '')}`,
    seen,
    /** Cuts it at the first request for which this holds: it is done at the server, its answer is lost. */
    cutWhen(holds: Holds, then = () => {}) {
      cutsHere = holds;
      onCut = then;
    },
    /** Answers so, without asking the server, the next times that this holds. */
    answerWith(answer: Canned, holds: Holds, times = Number.POSITIVE_INFINITY) {
      answering = { holds, answer, times };
    },
    /** Holds the server's answers back: `held` is called for each, and is done when it may go on. */
    holdWhen(holds: Holds, held: () => Promise<void>) {
      holding = { holds, held };
    },
    mend() {
      cutsHere = undefined;
      answering = undefined;
      holding = undefined;
      isCut = false;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type Line = Awaited<ReturnType<typeof openLine>>;
