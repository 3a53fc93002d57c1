// `autocode run calls`.
import { z } from 'zod';
import { ModelCall } from '../../../protocol/model.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { count, duration, money } from '../format.ts';
import { currencyOf } from '../money/currency.ts';
import { table } from '../output.ts';
import { show } from '../redraw.ts';

/** Lists the model calls of a run, oldest first. */
export async function listCalls(args: GlobalArgs & { run: string }): Promise<void> {
  const client = connect(args);
  const currency = await currencyOf(client);
  await show(
    args,
    () => client.get(`/runs/${encodeURIComponent(args.run)}/calls`, z.array(ModelCall)),
    (calls) => drawCalls(calls, currency),
  );
}

/** A table of calls. */
export function drawCalls(calls: ModelCall[], currency: string): string {
  if (calls.length === 0) return 'No model calls.';
  const others = calls.filter(({ fallback }) => fallback !== null);
  const notes = others.map(({ id, fallback }) => `* ${id}: ${fallback}`);
  const rows = table(calls, [
    { title: 'CALL', value: (call) => String(call.id), align: 'right' },
    { title: 'AT', value: (call) => new Date(call.at).toISOString().slice(11, 23) },
    { title: 'PROTOCOL', value: (call) => call.protocol },
    { title: 'MODEL', value: (call) => call.modelServed + (call.fallback === null ? '' : ' *') },
    { title: 'IN', value: (call) => count(call.inputTokens), align: 'right' },
    { title: 'CACHED', value: (call) => count(call.cachedTokens), align: 'right' },
    { title: 'OUT', value: (call) => count(call.outputTokens), align: 'right' },
    { title: 'CAUSE', value: (call) => call.cause },
    { title: 'COST', value: (call) => money(call.costMicros, currency), align: 'right' },
    { title: 'QUEUE', value: (call) => (call.queueMs === 0 ? '-' : duration(call.queueMs)), align: 'right' },
    {
      title: 'FIRST BYTE',
      value: (call) => (call.firstByteMs === null ? '-' : duration(call.firstByteMs)),
      align: 'right',
    },
    { title: 'TOTAL', value: (call) => duration(call.totalMs), align: 'right' },
    {
      title: 'ANSWER',
      value: (call) => `${call.status} ${call.outcome}`,
      style: (call) => (call.outcome === 'ok' ? undefined : 'red'),
    },
  ]);
  return [rows, ...notes].join('\n');
}
