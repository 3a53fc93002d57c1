// A runner: the process that does one run. It outlives the worker that started it, owns lease, log, sandbox and report, and
// ends with its directory removed. Composition root; the worker starts it with flags of config.ts.
import { rm } from 'node:fs/promises';
import { LOG_STREAMS } from '../../protocol/log.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { createAgent } from '../agents/factory.ts';
import { authorityIn } from '../authority.ts';
import { programPath, runnerConfig, socketBase, type RunnerConfig } from '../config.ts';
import { writeDurably } from '../durable-file.ts';
import { tryLock } from '../lock.ts';
import { runPipeline } from '../pipeline/pipeline.ts';
import {
  processMark,
  readJson,
  readOrder,
  removeRunDirectory,
  runDirectoryAt,
  RunReport,
  type RunDirectory,
} from '../run-directory.ts';
import { endProcesses, processesOf, startTimeOf, type ProcessScope } from '../run-processes.ts';
import { removeCgroupsOf } from '../sandbox/cgroup.ts';
import { treeOwner } from '../sandbox/identity.ts';
import { watchGrowth } from '../workspace/growth.ts';
import { unmountBelow } from '../workspace/overlay.ts';
import { remoteOf } from '../workspace/remote.ts';
import { runApi } from './api.ts';
import { openEgress } from './egress.ts';
import { openInbox, type Inbox } from './inbox.ts';
import { keepLease } from './lease.ts';
import { openRunLog } from './log.ts';
import { LogShipper } from './log-shipper.ts';
import { openMeter, type Meter } from './meter.ts';
import { startRelay } from './relay.ts';
import { sendReport, type Shippers } from './report.ts';
import { watchSignals } from './signals.ts';
import { sandboxOpener } from './open-sandbox.ts';
import { socketPath } from './socket-path.ts';
import { stopper, stopReason, type Stopped, type Stopper } from './stop.ts';

const UNMOUNT_MS = 10_000;

await main(runnerConfig(process.argv.slice(2)));

async function main(config: RunnerConfig): Promise<void> {
  const directory = runDirectoryAt(config.directory);
  const lock = await tryLock(directory.path, 'runner');
  if (lock === null) return; // the run has its runner already
  const order = await readOrder(directory);
  if (order === null)
    throw new AutocodeError('ERR_NOT_FOUND', `${directory.order} is missing or not a work order.`);
  await writeDurably(
    directory.runner,
    JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }),
  );

  const stop = stopper();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => stop.stop('terminated', `The runner was told to end (${signal}).`));
  }
  const keep = await doRun(config, directory, order, stop);
  if (!keep) await removeRunDirectory(directory);
  process.exit(0); // whatever a library still holds open
}

/** Does the run and reports it. True when its directory must stay, for the worker to report what is in it. */
async function doRun(
  config: RunnerConfig,
  directory: RunDirectory,
  order: WorkOrder,
  stop: Stopper,
): Promise<boolean> {
  const connection = { url: config.url, ca: authorityIn(config.caFile), order };
  const reporting = runApi({ ...connection, signal: stop.cutOff });
  const shippers: Shippers = new Map(
    LOG_STREAMS.map((stream) => [
      stream,
      new LogShipper({ api: reporting, stream, file: directory.log(stream) }),
    ]),
  );
  const log = openRunLog({
    directory,
    grew: (stream, bytes) => shippers.get(stream)?.grew(bytes),
    failed: (error) => stop.stop('disk-full', `The log cannot be written: ${error.message}`),
  });
  const processes = { mark: processMark(order), directory: directory.path };
  const meter = openMeter(processes);
  const lease = keepLease(reporting, order, stop, () => meter.usage());
  const inbox = openInbox(order.messages);
  void watchSignals(runApi({ ...connection, signal: stop.signal }), inbox, stop);
  try {
    const report = await work(config, directory, order, { stop, inbox, processes, meter }, log);
    log.event({ type: 'step', step: 'finish', status: 'started' });
    // A crash from here on loses nothing. On a full disk the report goes out all the same.
    await writeDurably(directory.report, JSON.stringify(report)).catch((error: unknown) =>
      console.error(error),
    );
    log.event({
      type: 'step',
      step: 'finish',
      status: 'ended',
      detail: report.reason === undefined ? report.outcome : `${report.outcome}: ${report.reason}`,
    });
    log.close();
    await sendReport(reporting, directory, report, shippers);
    return false;
  } catch (error) {
    const stopped = stopReason(error) ?? stopReason(stop.cutOff.reason);
    if (stopped?.why === 'stale') return false;
    await leaveReport(directory, order, stopped, error);
    return true;
  } finally {
    lease.release();
    meter.close();
  }
}

async function work(
  config: RunnerConfig,
  directory: RunDirectory,
  order: WorkOrder,
  { stop, inbox, processes, meter }: { stop: Stopper; inbox: Inbox; processes: ProcessScope; meter: Meter },
  log: ReturnType<typeof openRunLog>,
): Promise<RunReport> {
  const path = programPath();
  const socket = socketPath(directory.path, 'gateway.sock', socketBase());
  const over = new AbortController();
  const ca = authorityIn(config.caFile);
  const { gatewayUrl, gatewayKey } = order;
  const relay = await startRelay({ gatewayUrl, ca, gatewayKey, socket });
  const egress = await openEgress(order, directory.path);
  const { runBytes } = config.workspace;
  const growth = {
    directory: directory.path,
    limitBytes: runBytes,
    seen: (bytes: number) => meter.noteDisk(bytes),
    exceeded: (bytes: number) => stop.stop('too-big', tooBig(bytes, runBytes)),
  };
  const watching = watchGrowth({ path, signal: AbortSignal.any([stop.signal, over.signal]) }, growth);
  watching.catch((error: unknown) =>
    stop.stop('disk-full', `The size of the run cannot be told: ${(error as Error).message}`),
  );
  try {
    const report = await runPipeline({
      order,
      directory,
      api: runApi({ url: config.url, ca, order, signal: stop.signal }),
      inbox,
      log,
      git: { path, signal: stop.signal },
      remote: (gitPath) => remoteOf(config.url, order, gitPath, config.caFile),
      cacheDir: config.cacheDir,
      toolDir: config.toolDir,
      workspace: { ...config.workspace, owner: treeOwner },
      openSandbox: sandboxOpener({
        config,
        order,
        directory,
        gateway: { url: relay.url, socket },
        egress: egress.way,
        path,
        processes,
        count: (sandbox) => meter.count(sandbox),
        notice: (text) => log.event({ type: 'notice', text }),
      }),
      createAgent,
      signal: stop.signal,
    });
    return order.lease.takesUsage ? { ...report, sandboxUsage: meter.usage() } : report;
  } finally {
    await removeCgroupsOf(directory.path); // of a sandbox whose opening failed half way
    await endProcesses(() => processesOf(processes), 0);
    over.abort();
    await watching.catch(() => {});
    await unmountBelow({ path, signal: AbortSignal.timeout(UNMOUNT_MS) }, directory.path);
    await relay.close();
    await egress.close();
    await rm(socket, { force: true });
  }
}

function tooBig(bytes: number, limit: number): string {
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`;
  return `No space left for this run: its files take ${gigabytes(bytes)}, and ${gigabytes(limit)} is what a run may (\`workspace.runBytes\` of the worker).`;
}

/** For the worker to send when the orchestrator is back: the run is lost, and why. A report that is there already stays. */
async function leaveReport(
  directory: RunDirectory,
  order: WorkOrder,
  stopped: Stopped | null,
  error: unknown,
): Promise<void> {
  if (stopped === null) console.error(error);
  if ((await readJson(directory.report, RunReport)) !== null) return;
  const reason = stopped?.message ?? `The runner failed: ${(error as Error).message}`;
  await writeDurably(
    directory.report,
    JSON.stringify({
      fence: order.fence,
      outcome: 'lost',
      cause: 'platform',
      reason,
      checks: [],
      iterations: 0,
    }),
  );
}
