// Processes that outlive the daemon: started apart from it, known by pid and start time. Used by engines and the egress proxy.
import { closeSync, openSync } from 'node:fs';
import { execa } from 'execa';
import { processStartTime } from './daemon-file.ts';

export interface DetachedProcess {
  pid: number;
  /** In clock ticks since boot: a pid that was given to another is not ours. */
  startTime: string;
}

/** Starts a program with this environment alone, whose output goes to the end of a file; resolves when it runs. */
export async function startDetached(
  program: string,
  words: string[],
  { environment, log, mode }: { environment: Record<string, string>; log: string; mode: number },
): Promise<DetachedProcess> {
  const output = openSync(log, 'a', mode) as 1; // Execa hands on any file descriptor; its types know the standard ones
  try {
    const child = execa(program, words, {
      env: environment,
      extendEnv: false,
      detached: true,
      cleanup: false,
      cwd: '/',
      stdio: ['ignore', output, output],
      buffer: false,
      reject: false,
    });
    child.nodeChildProcess.unref();
    const { pid } = child;
    if (pid === undefined) throw (await child).cause;
    return { pid, startTime: processStartTime(pid) ?? '' };
  } finally {
    closeSync(output);
  }
}
