// Runs inside a sandbox, where there is no socat: what connects to the port on 127.0.0.1 is connected to the unix socket.
// usage: node relay-inside.ts PORT SOCKET
import net from 'node:net';

const [port, socket = ''] = process.argv.slice(2);
net
  .createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ path: socket, allowHalfOpen: true });
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  })
  .listen(Number(port), '127.0.0.1');
