// What systemd is told of a process that it has started (sd_notify): that it is ready, that it lives, that it ends.
// Used by the daemon and the worker. Node.js opens no datagram sockets in the file system, so `systemd-notify` sends.
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const SEND_MS = 10_000;
const RETRY_MS = 1_000;

/** Where systemd listens, and within which time it wants to hear of a process that lives. */
export interface NotifyAddress {
  socket: string;
  watchdogMs: number | undefined;
}

/** Tells systemd; does nothing in a process that it has not started. */
export interface ServiceManager {
  /** The start is over. From now on systemd hears that the process lives, as long as `answers` says so. */
  ready(status: string, answers?: () => Promise<boolean>): Promise<void>;
  /** It ends to start anew in the same process: `ready` of another manager follows. */
  restarting(status: string): Promise<void>;
  stopping(status: string): Promise<void>;
}

/** Takes out of the environment what is for the process `pid` alone: a child that inherits it, as PostgreSQL, would speak in its name. */
export function takeNotifyAddress(env: NodeJS.ProcessEnv, pid: number): NotifyAddress | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC, WATCHDOG_PID = String(pid) } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (socket === undefined || socket === '') return undefined;
  const watchdogMs = Number(WATCHDOG_USEC) / 1000;
  return { socket, watchdogMs: watchdogMs > 0 && WATCHDOG_PID === String(pid) ? watchdogMs : undefined };
}

/** The manager at an address; `warn` hears what could not be told, which ends nothing here. */
export function serviceManager(
  address: NotifyAddress | undefined,
  warn: (message: string) => void,
): ServiceManager {
  const ended = new AbortController();
  const tell = async (...lines: string[]) => {
    if (address === undefined) return;
    try {
      const env = { NOTIFY_SOCKET: address.socket };
      await promisify(execFile)('systemd-notify', lines, { env, timeout: SEND_MS });
    } catch (error) {
      warn(`systemd was not told ${lines[0]}, and may end this process: ${(error as Error).message.trim()}`);
    }
  };
  const pause = async (ms: number) =>
    await delay(ms, undefined, { ref: false, signal: ended.signal }).catch(() => {});
  const watch = async (watchdogMs: number, answers: () => Promise<boolean>) => {
    while (!ended.signal.aborted) {
      const lives = await answers();
      if (lives) await tell('WATCHDOG=1');
      await pause(lives ? watchdogMs / 2 : RETRY_MS);
    }
  };
  return {
    async ready(status, answers = async () => true) {
      await tell('READY=1', `STATUS=${status}`);
      if (address?.watchdogMs !== undefined) void watch(address.watchdogMs, answers);
    },
    async restarting(status) {
      ended.abort();
      await tell('RELOADING=1', `STATUS=${status}`);
    },
    async stopping(status) {
      ended.abort();
      await tell('STOPPING=1', `STATUS=${status}`);
    },
  };
}
