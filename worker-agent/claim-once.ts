// The worker of a dispatched allocation: claims one run, waits for its end, and is done. Used by main.ts.
import { AutocodeError } from '../protocol/errors.ts';
import type { WorkOrder } from '../protocol/worker.ts';
import { untilAnswered } from './api-client.ts';
import { claim, openApi, register, type ClaimerParts } from './registration.ts';

const WAIT_SECONDS = 60;
/** Of one poll. */
const POLL_SECONDS = 25;

/** Ends when its run has, or when there was nothing to do. One that is started again waits for the run that it has already. */
export async function claimOnce(
  parts: ClaimerParts,
  signal: AbortSignal,
  waitSeconds = WAIT_SECONDS,
): Promise<void> {
  const { config, runners, log } = parts;
  const mine = () => runners.runs().find(({ worker }) => worker === config.name);
  let run = mine()?.run;
  if (run === undefined) {
    const late = AbortSignal.timeout(Math.ceil(waitSeconds + POLL_SECONDS) * 1000);
    const order = await firstRun(parts, AbortSignal.any([signal, late]), waitSeconds).catch(
      (cause: unknown) => {
        throw late.aborted && !signal.aborted ? noAnswer(config.url, cause) : cause;
      },
    );
    if (order === null) return log.info('nothing to do');
    run = order.run;
  }
  log.info(`waits for the end of run ${run}`);
  while (!signal.aborted && mine() !== undefined) await runners.changed(signal);
  if (!signal.aborted) log.info(`run ${run} has ended`);
}

/** The run that is claimed within the time, started; null when there is none to have. */
async function firstRun(
  parts: ClaimerParts,
  signal: AbortSignal,
  waitSeconds: number,
): Promise<WorkOrder | null> {
  const { config, runners } = parts;
  const giveUp = performance.now() + waitSeconds * 1000;
  const left = () => Math.max(0, (giveUp - performance.now()) / 1000);
  const api = await openApi(config);
  await untilAnswered(async () => await register(parts, api, signal), signal);
  for (;;) {
    const claimId = await runners.openClaim();
    const poll = { claimId, waitSeconds: Math.min(POLL_SECONDS, left()) };
    const order = await untilAnswered(async () => await claim(api, config.name, poll, signal), signal);
    if (order !== null && order !== 'ended') {
      await untilAnswered(async () => await runners.start(claimId, order), signal);
      return order;
    }
    if (order === 'ended' || left() === 0) await runners.closeClaim(claimId);
    if (left() === 0) return null;
  }
}

function noAnswer(url: string, cause: unknown): AutocodeError {
  return new AutocodeError('ERR_DAEMON_NOT_RUNNING', `The orchestrator at ${url} did not answer in time.`, {
    remedy: 'Its log says why; the allocation may be dispatched again.',
    cause,
  });
}
