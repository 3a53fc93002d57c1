// Ends a run whose runner is dead: its processes, its log, its report, its directory. Loaded when there is one.
// Used by the runner pool.
import { open } from 'node:fs/promises';
import type { WorkOrder } from '../protocol/worker.ts';
import { untilAnswered } from './api-client.ts';
import { writeDurably } from './durable-file.ts';
import { processMark, readJson, removeRunDirectory, RunReport, type RunDirectory } from './run-directory.ts';
import { endProcesses, processesOf } from './run-processes.ts';
import { runApi } from './runner/api.ts';
import { openRunLog } from './runner/log.ts';
import { sendReport, shippersOfFiles } from './runner/report.ts';
import { isNotOurs } from './runner/ownership.ts';
import { removeCgroupsOf } from './sandbox/cgroup.ts';

const LAST_WORDS = 500;

/** Tells the orchestrator what the runner could not, then removes what it left. Repeatable: a crash in between starts it anew. */
export async function endLostRun({
  url,
  ca,
  directory,
  order,
  signal,
}: {
  url: string;
  ca: string | undefined;
  directory: RunDirectory;
  order: WorkOrder;
  signal: AbortSignal;
}): Promise<RunReport['outcome']> {
  const processes = { mark: processMark(order), directory: directory.path };
  await removeCgroupsOf(directory.path);
  await endProcesses(() => processesOf(processes), 0);
  const left = await readJson(directory.report, RunReport);
  const report = left ?? (await lostReport(directory, order));
  if (left === null) {
    noteInLog(directory, report.reason ?? '');
    // So that a repetition, after the log was taken as whole, adds nothing to it; on a full disk it may.
    await writeDurably(directory.report, JSON.stringify(report)).catch(() => {});
  }
  const api = runApi({ url, ca, order, signal });
  const ours = report.outcome === 'lost' || (await takeBack(api, signal));
  if (ours) await sendReport(api, directory, report, await shippersOfFiles(api, directory));
  await removeRunDirectory(directory);
  return report.outcome;
}

/** The processes and the directory of a run that nobody is to hear of: it belongs to another installation. */
export async function discardRun(directory: RunDirectory, order: WorkOrder | null): Promise<void> {
  await removeCgroupsOf(directory.path);
  if (order !== null)
    await endProcesses(() => processesOf({ mark: processMark(order), directory: directory.path }), 0);
  await removeRunDirectory(directory);
}

async function lostReport(directory: RunDirectory, order: WorkOrder): Promise<RunReport> {
  const words = await lastWords(directory.output);
  const reason = `The runner ended without a report${words === '' ? '.' : `; its last words: ${words}`}`;
  return {
    fence: order.fence,
    outcome: 'lost',
    cause: 'platform',
    reason,
    headCommits: [],
    checks: [],
    iterations: 0,
  };
}

function noteInLog(directory: RunDirectory, reason: string): void {
  const log = openRunLog({ directory, grew: () => {}, failed: () => {} });
  log.event({ type: 'error', message: reason });
  log.close();
}

// The lease has run out meanwhile; a heartbeat takes the run back if its task was not given to another.
async function takeBack(api: ReturnType<typeof runApi>, signal: AbortSignal): Promise<boolean> {
  try {
    await untilAnswered(async () => await api.heartbeat(), signal);
    return true;
  } catch (error) {
    if (isNotOurs(error)) return false;
    throw error;
  }
}

async function lastWords(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return '';
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(LAST_WORDS),
      0,
      LAST_WORDS,
      Math.max(0, size - LAST_WORDS),
    );
    return buffer.subarray(0, bytesRead).toString().trim();
  } finally {
    await handle.close();
  }
}
