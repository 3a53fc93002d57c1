// The least that a gateway has to do, as a floor for the benchmark: the body read and parsed, the answer piped and
// searched for its usage; no keys, no budgets, no records. A program of its own: `parse-gateway.ts ENGINE_PORT` prints its port.
import { Agent, createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

const enginePort = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: 4096 });
let tokens = 0;

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    const { stream } = JSON.parse(body.toString('utf8')) as { stream?: boolean };
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const to = { host: '127.0.0.1', port: enginePort, method: 'POST', path: request.url, headers, agent };
    const upstream = ask(to, (answer) => {
      response.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? '' });
      response.flushHeaders();
      let rest = '';
      answer.on('data', (data: Buffer) => {
        if (!response.write(data)) {
          answer.pause();
          response.once('drain', () => answer.resume());
        }
        if (stream !== true) return;
        rest += data.toString('latin1');
        for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
          const line = rest.slice(6, end);
          rest = rest.slice(end + 2);
          if (line !== '[DONE]')
            tokens += (JSON.parse(line) as { usage?: { total_tokens: number } }).usage?.total_tokens ?? 0;
        }
      });
      answer.on('end', () => response.end());
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => {
      if (!response.writableFinished) upstream.destroy();
    });
    upstream.end(body);
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () =>
  console.log((server.address() as AddressInfo).port),
);
