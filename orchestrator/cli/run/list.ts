// `autocode run list`.
import { z } from 'zod';
import { Run } from '../../../protocol/run.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { currencyOf } from '../money/currency.ts';
import { show } from '../redraw.ts';
import { drawRuns } from './table.ts';

interface Args extends GlobalArgs {
  task: number | undefined;
  state: string | undefined;
  worker: string | undefined;
  limit: number;
  watch: boolean;
}

/** Lists runs, newest first. */
export async function listRuns(args: Args): Promise<void> {
  const client = connect(args);
  const { task, state, worker, limit } = args;
  const currency = await currencyOf(client);
  await show(
    args,
    () => client.get('/runs', z.array(Run), { task, state, worker, limit }),
    (runs) => drawRuns(runs, currency),
  );
}
