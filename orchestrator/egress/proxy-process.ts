// The process of the egress proxy: detached, so that runs keep their way out while the daemon is replaced; found again by pid and start
// time; asked whether it answers. Used by proxy.ts.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { writeFileAtomic } from '../config/atomic-file.ts';
import { processStartTime } from '../config/daemon-file.ts';
import { startDetached, type DetachedProcess } from '../config/detached-process.ts';
import type { ProxyCommand } from './mitmdump.ts';

export const ProxyProcess = z.object({
  pid: z.number().int(),
  startTime: z.string(),
  port: z.number().int(),
  /** Of all that it was started with: one of another version is not gone on with. */
  signature: z.string(),
});
export type ProxyProcess = z.infer<typeof ProxyProcess>;

const LONGEST_LOG = 10_000_000;
const ANSWER_MS = 5_000;
const GRACE_MS = 3_000;
const POLL_MS = 50;

/** The process that was started last, whether it lives or not. */
export function readProcess(file: string): ProxyProcess | null {
  try {
    return ProxyProcess.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

export function isAlive({ pid, startTime }: DetachedProcess): boolean {
  return processStartTime(pid) === startTime;
}

/** Starts it; it is known by the file before this resolves. */
export async function startProcess(
  { program, arguments: words }: ProxyCommand,
  options: {
    port: number;
    signature: string;
    file: string;
    log: string;
    environment: Record<string, string>;
  },
): Promise<ProxyProcess> {
  mkdirSync(dirname(options.log), { recursive: true });
  if ((statSync(options.log, { throwIfNoEntry: false })?.size ?? 0) > LONGEST_LOG) rmSync(options.log);
  const { environment, log, file, port, signature } = options;
  const { pid, startTime } = await startDetached(program, words, { environment, log, mode: 0o640 });
  const started = { pid, startTime, port, signature };
  await writeFileAtomic(file, JSON.stringify(started));
  return started;
}

/** Ends what was started with this argument and never came into the file: whoever started it was killed in between. */
export async function endUnknown(argument: string): Promise<void> {
  const found = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && argumentsOf(name).includes(argument),
  );
  for (const pid of found.map(Number)) await endProcess({ pid, startTime: processStartTime(pid) ?? '' });
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // it has just ended
  }
}

/** Asks it to end, and ends it. */
export async function endProcess(proxy: DetachedProcess): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isAlive(proxy)) return;
    try {
      process.kill(proxy.pid, signal);
    } catch {
      return; // gone meanwhile
    }
    const patience = performance.now() + GRACE_MS;
    while (isAlive(proxy) && performance.now() < patience) await delay(POLL_MS);
  }
}

/** Whether a proxy answers there, its add-ons included. */
export async function answers(host: string, port: number): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const name = 'proxy.autocode.internal';
    const request = http.request({
      host,
      port,
      path: `http://${name}/`,
      headers: { host: name },
      agent: false,
      timeout: ANSWER_MS,
    });
    request
      .once('response', (response) => {
        response.resume();
        resolve(response.statusCode === 204);
      })
      .once('timeout', () => request.destroy())
      .once('close', () => resolve(false))
      .on('error', () => {})
      .end();
  });
}

/** What it said last, for a message. */
export function lastWords(log: string): string {
  try {
    return readFileSync(log, 'utf8').slice(-1000).trim().split('\n').at(-1) ?? '';
  } catch {
    return '';
  }
}
