// What the repository says itself in `.autocode.yaml`, at the commit that the work starts from. The work order was made
// before that was known; limits of the file hold where they are tighter. Used by the pipeline, once the base is there.
import type { BaseAnswer } from '../../protocol/run.ts';
import { checksOf, type Pipeline } from './run-record.ts';

/** From here on the run goes by what the file says, and has no command of a repository that it does not have. */
export function takeOwnSettings(pipeline: Pipeline, file: BaseAnswer['file']): void {
  if (file !== undefined) goBy(pipeline, file);
  leaveOutElsewhere(pipeline);
}

function goBy(pipeline: Pipeline, file: NonNullable<BaseAnswer['file']>): void {
  const { order, log } = pipeline;
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
  log.event({
    type: 'notice',
    text: '.autocode.yaml of the base says how this run is verified and limited.',
  });
}

function leaveOutElsewhere(pipeline: Pipeline): void {
  const { order, log, record } = pipeline;
  const here = order.verify.filter(({ in: place }) => place === undefined || hasRepository(order, place));
  for (const command of order.verify.filter((each) => !here.includes(each))) {
    const text = `The verify command ${command.name} is left out: it runs in ${command.in}, where this task does not work.`;
    log.event({ type: 'notice', text });
  }
  pipeline.order = { ...order, verify: here };
  record.checks = checksOf(here);
}

const hasRepository = ({ repositories }: Pipeline['order'], wanted: string): boolean =>
  repositories.some(({ name }) => name === wanted);
