// Tells whoever started this worker whether it is of use: GET /health answers 200 while it is registered, 503 else. Used by
// main.ts where a job of Nomad asks for it: a new version that cannot register is taken back.
import { createServer } from 'node:http';
import { once } from 'node:events';

export interface Health {
  /** Whether the orchestrator knows this worker; `reason` when not. */
  tell(registered: boolean, reason?: string): void;
}

/** Listens on `address`, as 10.0.0.2:23456. It ends with the process. */
export async function serveHealth(address: string): Promise<Health> {
  let state: { registered: boolean; reason?: string | undefined } = {
    registered: false,
    reason: 'starting',
  };
  const server = createServer((request, response) => {
    const known = request.method === 'GET' && request.url === '/health';
    response.writeHead(known ? (state.registered ? 200 : 503) : 404, { 'content-type': 'application/json' });
    response.end(known ? JSON.stringify(state) : '{}');
  });
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  server.unref().listen(Number(port), host);
  await once(server, 'listening');
  return {
    tell: (registered, reason) => (state = { registered, ...(registered ? {} : { reason }) }),
  };
}
