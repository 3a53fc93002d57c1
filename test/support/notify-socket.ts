// What systemd is to a service: a datagram socket, here one that keeps what was said. For tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const PROGRAM = `
import json, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print('"listening"', flush=True)
while True: print(json.dumps(listener.recv(65536).decode()), flush=True)
`;
const PATIENCE_MS = 30_000;

export interface NotifySocket extends AsyncDisposable {
  path: string;
  /** Every assignment so far, in order, as `READY=1`. */
  said: string[];
  /** Resolves when it is said for the `count`th time. */
  until(assignment: string, count?: number): Promise<void>;
}

/** Listens in a directory. */
export async function notifySocket(directory: string): Promise<NotifySocket> {
  const socket = path.join(directory, 'notify.sock');
  const child = spawn('python3', ['-c', PROGRAM, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  const said: string[] = [];
  // BARRIER is the sender's question whether all before it was read.
  lines.on('line', (line) =>
    said.push(...(JSON.parse(line) as string).split('\n').filter((each) => each !== 'BARRIER=1')),
  );
  return {
    path: socket,
    said,
    async until(assignment, count = 1) {
      const deadline = Date.now() + PATIENCE_MS;
      while (said.filter((each) => each === assignment).length < count) {
        if (Date.now() > deadline) throw new Error(`${assignment} was not said, but ${said.join(' ')}`);
        await delay(10);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, 'exit');
    },
  };
}
