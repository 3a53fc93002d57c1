// `autocode intake log`, `show`, `replay`, `approve` and `reject`.
import { z } from 'zod';
import { IntakeDelivery, type IntakeItem } from '../../../protocol/intake.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { oneLine, relativeTime, timestamp } from '../format.ts';
import { block, print, printJson, table } from '../output.ts';
import { show } from '../redraw.ts';

interface LogArgs extends GlobalArgs {
  source: string | undefined;
  state: string | undefined;
  verdict: string | undefined;
  limit: number;
  before: number | undefined;
}

/** Lists deliveries with what became of them. */
export async function showLog(args: LogArgs): Promise<void> {
  const client = connect(args);
  const { source, state, verdict, limit, before } = args;
  const query = { source, state, verdict, limit, before };
  await show(args, () => client.get('/intake/deliveries', z.array(IntakeDelivery), query), drawLog);
}

/** Shows one delivery. */
export async function showDelivery(args: GlobalArgs & { delivery: number }): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get(`/intake/deliveries/${args.delivery}`, IntakeDelivery), drawDelivery);
}

/** Has a delivery worked on again. */
export async function replayDelivery(args: GlobalArgs & { delivery: number }): Promise<void> {
  const path = `/intake/deliveries/${args.delivery}/replay`;
  const delivery = await connect(args).send('POST', path, IntakeDelivery);
  if (args.json) return printJson(delivery);
  print(`Delivery ${delivery.id} is worked on again; see \`autocode intake show ${delivery.id}\`.`);
}

/** Takes up a quarantined item. */
export async function approveItem(args: GlobalArgs & { item: number }): Promise<void> {
  await decide(args, 'approve');
}

/** Refuses a quarantined item. */
export async function rejectItem(args: GlobalArgs & { item: number }): Promise<void> {
  await decide(args, 'reject');
}

async function decide(args: GlobalArgs & { item: number }, verb: string): Promise<void> {
  const delivery = await connect(args).send('POST', `/intake/items/${args.item}/${verb}`, IntakeDelivery);
  if (args.json) return printJson(delivery);
  print(drawDelivery(delivery));
}

type Line = Partial<Omit<IntakeItem, 'delivery'>> & { delivery: IntakeDelivery };

function drawLog(deliveries: IntakeDelivery[]): string {
  if (deliveries.length === 0) return 'Nothing came.';
  const lines: Line[] = deliveries.flatMap((delivery) =>
    delivery.items.length === 0
      ? [{ delivery }]
      : delivery.items.map((item): Line => ({ ...item, delivery })),
  );
  return table(lines, [
    { title: 'DELIVERY', value: ({ delivery }) => String(delivery.id), align: 'right' },
    { title: 'CAME', value: ({ delivery }) => relativeTime(delivery.receivedAt) },
    { title: 'SOURCE', value: ({ delivery }) => delivery.source },
    { title: 'ITEM', value: ({ id }) => String(id ?? ''), align: 'right' },
    { title: 'VERDICT', value: ({ verdict, delivery }) => verdict ?? delivery.state },
    { title: 'TASK', value: ({ task }) => String(task ?? ''), align: 'right' },
    { title: 'BY', value: ({ actor }) => oneLine(actor ?? '') },
    { title: 'TITLE', value: ({ title }) => oneLine(title ?? '') },
    { title: 'WHY', value: ({ reason, delivery }) => oneLine(reason ?? delivery.reason ?? '') },
  ]);
}

function drawDelivery(delivery: IntakeDelivery): string {
  const head = block([
    ['delivery', `${delivery.id} (${delivery.delivery})`],
    ['source', delivery.source],
    ['came', `${timestamp(delivery.receivedAt)} by ${delivery.via}, ${delivery.event}`],
    ['again', delivery.repeats === 0 ? null : `${delivery.repeats} times`],
    ['state', delivery.state],
    ['reason', delivery.reason],
    ['sha256', delivery.sha256],
    ['body', delivery.kept ? 'kept, sealed' : 'not kept any more'],
    ['besides', delivery.others === 0 ? null : `${delivery.others} of other projects`],
  ]);
  const items = delivery.items.map((item) =>
    block([
      ['item', `${item.id}: ${oneLine(item.title)}`],
      ['verdict', item.task === null ? item.verdict : `${item.verdict}, task ${item.task}`],
      ['project', item.project],
      ['incident', item.incident === null ? null : String(item.incident)],
      ['why', item.reason],
      ['unanswered', item.unanswered],
      ['key', item.key],
      ['by', item.actor],
    ]),
  );
  return [head, ...items].join('\n\n');
}
