// Starts the daemon in the background and waits until it answers. Used by `up --detach` and the demo.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError, ErrorBody, errorFromBody } from '../../../protocol/errors.ts';
import { inheritedEnvironment } from '../../config/client-environment.ts';
import { openDataDirectory } from '../../config/data-directory.ts';
import { readDaemonFile, type DaemonFile } from '../../config/daemon-file.ts';
import { loadSettings, settingsFlags, type SettingsArgs } from '../settings.ts';

const READY_MS = 120_000;
const POLL_MS = 25;
const ENTRY = join(import.meta.dirname, '../main.ts');

export interface StartedDaemon {
  daemon: DaemonFile;
  /** False: it ran before. */
  started: boolean;
}

/** The daemon of this configuration, started if it does not run; ready to be asked. */
export async function ensureDaemon(args: SettingsArgs & { roles?: string | undefined }): Promise<StartedDaemon> {
  const { dataDir } = loadSettings(args).config;
  const running = readDaemonFile(dataDir);
  if (running !== undefined && (await isHealthy(running))) return { daemon: running, started: false };
  const output = join(openDataDirectory(dataDir).path('run'), 'start.out');
  const file = openSync(output, 'w', 0o600);
  const flags = [...settingsFlags(args), ...(args.roles === undefined ? [] : ['--roles', args.roles])];
  const child = spawn(process.execPath, [ENTRY, 'up', '--quiet', '--json', ...flags], {
    detached: true, // a session of its own: it outlives this terminal
    stdio: ['ignore', file, file],
    env: inheritedEnvironment(),
  });
  closeSync(file);
  const exited = once(child, 'exit').then(([code]) => ({ code: code as number | null }));
  exited.catch(() => {}); // told by the race below
  child.unref();
  const daemon = await Promise.race([untilReady(dataDir), exited]);
  if (!('code' in daemon)) return { daemon, started: true };
  // Another start may have been faster; then this one was refused and that one serves.
  const other = readDaemonFile(dataDir);
  if (other !== undefined) return { daemon: await untilReady(dataDir), started: false };
  throw failure(readFileSync(output, 'utf8'), dataDir, daemon.code);
}

async function untilReady(dataDir: string): Promise<DaemonFile> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    const daemon = readDaemonFile(dataDir);
    if (daemon !== undefined && (await isHealthy(daemon))) return daemon;
    await delay(POLL_MS);
  }
  throw new AutocodeError('ERR_DAEMON_NOT_RUNNING', `The daemon was started but does not answer after ${READY_MS / 1000} s.`, {
    remedy: `Look into ${join(dataDir, 'logs/orchestrator')}, then try \`autocode up\` in the foreground.`,
  });
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
  return new AutocodeError('ERR_DAEMON_NOT_RUNNING', `The daemon ended while it started (exit code ${code ?? 'none'}).\n${words}`.trim(), {
    remedy: `Its log is in ${join(dataDir, 'logs/orchestrator')}; \`autocode doctor\` checks this machine.`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
