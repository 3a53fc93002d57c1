// Starts the daemon in the background and waits until it answers. Used by `up --detach` and the demo.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError, ErrorBody, errorFromBody } from '../../../protocol/errors.ts';
import { inheritedEnvironment } from '../../config/client-environment.ts';
import { openDataDirectory } from '../../config/data-directory.ts';
import { readDaemonFile, type DaemonFile } from '../../config/daemon-file.ts';
import { loadSettings, settingsFlags, type SettingsArgs } from '../settings.ts';

const READY_MS = 120_000;
const OTHER_MS = 30_000;
const POLL_MS = 25;
const ENTRY = join(import.meta.dirname, '../main.ts');

export interface StartedDaemon {
  daemon: DaemonFile;
  /** False: it ran before. */
  started: boolean;
}

type StartArgs = SettingsArgs & { roles?: string | undefined };

/** The daemon of this configuration, started if it does not run; ready to be asked. */
export async function ensureDaemon(args: StartArgs): Promise<StartedDaemon> {
  const { dataDir } = loadSettings(args).config;
  const running = readDaemonFile(dataDir);
  if (running !== undefined && (await isHealthy(running))) return { daemon: running, started: false };
  const directory = openDataDirectory(dataDir);
  const output = join(directory.path('run'), `start-${process.pid}.out`);
  try {
    return await startAndWait(args, dataDir, output);
  } finally {
    rmSync(output, { force: true });
  }
}

async function startAndWait(args: StartArgs, dataDir: string, output: string): Promise<StartedDaemon> {
  const file = openSync(output, 'w', 0o600);
  const flags = [...settingsFlags(args), ...(args.roles === undefined ? [] : ['--roles', args.roles])];
  const child = spawn(process.execPath, [...process.execArgv, ENTRY, 'up', '--quiet', '--json', ...flags], {
    detached: true, // a session of its own: it outlives this terminal
    stdio: ['ignore', file, file],
    env: inheritedEnvironment(),
  });
  closeSync(file);
  const ended = new AbortController();
  const exited = once(child, 'exit').then(([code]) => {
    ended.abort();
    return code as number | null;
  });
  child.unref();
  const daemon = await untilReady(dataDir, READY_MS, ended.signal);
  if (daemon !== undefined) return { daemon, started: daemon.pid === child.pid };
  if (!ended.signal.aborted) {
    throw new AutocodeError(
      'ERR_DAEMON_NOT_RUNNING',
      `The daemon was started but does not answer after ${READY_MS / 1000} s.`,
      {
        remedy: `Look into ${join(dataDir, 'logs/orchestrator')}, then try \`autocode up\` in the foreground.`,
      },
    );
  }
  const error = failure(readFileSync(output, 'utf8'), dataDir, await exited);
  // Another start was faster; it may not be ready yet.
  const other = error.code === 'ERR_DAEMON_RUNNING' ? await untilReady(dataDir, OTHER_MS) : undefined;
  if (other === undefined) throw error;
  return { daemon: other, started: false };
}

/** The daemon once it answers; undefined when the time is up or the signal is given. */
async function untilReady(
  dataDir: string,
  patienceMs: number,
  signal?: AbortSignal,
): Promise<DaemonFile | undefined> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline && signal?.aborted !== true) {
    const daemon = readDaemonFile(dataDir);
    if (daemon !== undefined && (await isHealthy(daemon))) return daemon;
    await delay(POLL_MS);
  }
  return undefined;
}

async function isHealthy(daemon: DaemonFile): Promise<boolean> {
  try {
    return (await fetch(`${daemon.url}/api/v1/health`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

/** The error that the daemon ended with, in its own words. */
function failure(output: string, dataDir: string, code: number | null): AutocodeError {
  const start = output.indexOf('{\n  "error"');
  for (let end = output.length; start >= 0 && end > start; end = output.lastIndexOf('}', end - 1)) {
    const body = ErrorBody.safeParse(parseJson(output.slice(start, end + 1)));
    if (body.success) return errorFromBody(body.data, 500);
  }
  const words = output.trim().split('\n').slice(-5).join('\n');
  return new AutocodeError(
    'ERR_DAEMON_NOT_RUNNING',
    `The daemon ended while it started (exit code ${code ?? 'none'}).\n${words}`.trim(),
    {
      remedy: `Its log is in ${join(dataDir, 'logs/orchestrator')}; \`autocode doctor\` checks this machine.`,
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
