// What the repository says itself in `.autocode.yaml`, at the commit that the work starts from. The work order was made
// before that was known; limits of the file hold where they are tighter. Used by the pipeline, once the base is there.
import type { BaseAnswer } from '../../protocol/run.ts';
import { checksOf, type Pipeline } from './run-record.ts';

/** From here on the run goes by what the file says. */
export function takeOwnSettings(pipeline: Pipeline, file: BaseAnswer['file']): void {
  if (file === undefined) return;
  const { order, log, record } = pipeline;
  const { verify = order.verify, limits: wished = {}, instructions = null } = file;
  const tighter = (what: string, most: number, wish: number | undefined): number => {
    if (wish !== undefined && wish > most) {
      const text = `.autocode.yaml wishes for ${what} of ${wish}; the limit here is ${most}, which holds.`;
      log.event({ type: 'notice', text });
    }
    return Math.min(most, wish ?? most);
  };
  const { limits } = order;
  const minutes = tighter(
    'verifyTimeoutMinutes',
    limits.verifyTimeoutSeconds / 60,
    wished.verifyTimeoutMinutes,
  );
  pipeline.order = {
    ...order,
    verify,
    limits: {
      ...limits,
      maxIterations: tighter('maxIterations', limits.maxIterations, wished.maxIterations),
      verifyTimeoutSeconds: minutes * 60,
    },
  };
  pipeline.instructions = instructions;
  record.checks = checksOf(verify);
  log.event({
    type: 'notice',
    text: '.autocode.yaml of the base says how this run is verified and limited.',
  });
}
