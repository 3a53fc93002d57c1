// The end of a run as told to the orchestrator: all of the log first, then the report, until both are taken.
// Used by the runner, and by the worker for a runner that died.
import { stat } from 'node:fs/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import { LOG_STREAMS } from '../../protocol/log.ts';
import type { FinishInput } from '../../protocol/run.ts';
import type { RunDirectory, RunReport } from '../run-directory.ts';
import type { RunApi } from './api.ts';
import { LogShipper } from './log-shipper.ts';
import { isNotOurs } from './ownership.ts';

/** Shippers of a run's streams, by name. */
export type Shippers = Map<string, LogShipper>;

/** Shippers over the files as they lie there now. */
export async function shippersOfFiles(api: RunApi, directory: RunDirectory): Promise<Shippers> {
  const shippers: Shippers = new Map();
  for (const stream of LOG_STREAMS) {
    const file = directory.log(stream);
    const size = (await stat(file).catch(() => null))?.size ?? 0;
    shippers.set(stream, new LogShipper({ api, stream, file, size }));
  }
  return shippers;
}

/** Sends what is left of the log and then the report. `refused` when the run is no longer ours; throws when cut off. */
export async function sendReport(
  api: RunApi,
  directory: RunDirectory,
  report: RunReport,
  first: Shippers,
): Promise<'taken' | 'refused'> {
  for (let shippers = first; ; shippers = await shippersOfFiles(api, directory)) {
    try {
      const logs: FinishInput['logs'] = {};
      for (const [stream, shipper] of shippers) logs[stream] = await shipper.end();
      await api.finish({ ...report, logs });
      return 'taken';
    } catch (error) {
      if (isNotOurs(error)) return 'refused';
      if (!(error instanceof AutocodeError)) throw error;
      if (error.code === 'ERR_LOG_INCOMPLETE') continue; // it lost acknowledged bytes: send them again
      if (report.outcome === 'lost') return 'refused';
      report = unreportable(report, error);
    }
  }
}

// The orchestrator will not have this report (a log that was damaged on its side, say). The run must end all the same.
function unreportable(report: RunReport, error: AutocodeError): RunReport {
  return {
    fence: report.fence,
    outcome: 'lost',
    cause: 'platform',
    reason: `The run ended as ${report.outcome}, but its report was refused: ${error.message}`.slice(0, 4000),
    headCommits: [],
    checks: [],
    iterations: report.iterations,
  };
}
