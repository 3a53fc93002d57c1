// What stands for the internet: web servers, a resolver, and ports that nobody is to reach. Says in a line of JSON each thing that it was
// asked, by whom. Started by network.ts with the file of its settings.
import dgram from 'node:dgram';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net from 'node:net';

const { key, cert, files } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as {
  key: string;
  cert: string;
  files: Record<string, string>;
};
const say = (seen: object) => void process.stdout.write(`${JSON.stringify(seen)}\n`);
const bare = (address = '') => address.replace('::ffff:', '');

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { method, url = '/', headers, socket } = request;
  say({ at: 'web', from: bare(socket.remoteAddress), to: bare(socket.localAddress), method, url, headers });
  const [place = ''] = url.split('?');
  const file = files[place];
  if (file !== undefined) {
    response.setHeader(
      'content-type',
      place.startsWith('/simple/') ? 'text/html' : 'application/octet-stream',
    );
    return void response.end(Buffer.from(file, 'base64'));
  }
  if (place.startsWith('/ok')) return void response.end('outside');
  response.writeHead(404).end('no such thing');
}

http.createServer(answer).listen(80, '::');
https.createServer({ key, cert, ALPNProtocols: ['http/1.1'] }, answer).listen(443, '::');
net
  .createServer((socket) => {
    say({ at: 'tcp', from: bare(socket.remoteAddress) });
    socket.on('error', () => {}).end('outside');
  })
  .listen(9999, '::');
for (const port of [443, 4500]) {
  const socket = dgram.createSocket('udp6').bind(port, '::');
  socket.on('message', (_, { address }) => say({ at: 'udp', port, from: bare(address) }));
}
// No such name, whatever is asked.
const names = dgram.createSocket('udp6').bind(53, '::', () => say({ at: 'ready' }));
names.on('message', (message, { address, port }) => {
  say({ at: 'dns', from: bare(address), asked: message.subarray(12).toString('latin1') });
  message.writeUInt16BE(0x8183, 2);
  names.send(message, port, address);
});
