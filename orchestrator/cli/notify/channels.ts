// `autocode notify channels`, `test` and `deliveries`.
import { z } from 'zod';
import { NotificationChannel, NotificationDelivery } from '../../../protocol/notification.ts';
import { connect } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { oneLine, relativeTime } from '../format.ts';
import { print, printJson, table } from '../output.ts';
import { show } from '../redraw.ts';

interface DeliveriesArgs extends GlobalArgs {
  channel: string | undefined;
  state: string | undefined;
  limit: number;
  before: number | undefined;
}

/** Lists channels. */
export async function listChannels(args: GlobalArgs): Promise<void> {
  const channels = () => connect(args).get('/notification-channels', z.array(NotificationChannel));
  await show(args, channels, drawChannels);
}

/** Sends a test; ends with 1 where it did not arrive. */
export async function testChannel(args: GlobalArgs & { channel: string }): Promise<void> {
  const path = `/notification-channels/${encodeURIComponent(args.channel)}/tests`;
  const delivery = await connect(args).send('POST', path, NotificationDelivery);
  if (args.json) printJson(delivery);
  else if (delivery.state === 'sent')
    print(`The channel ${delivery.channel} took it, as ${delivery.message}.`);
  else print(`The channel ${delivery.channel} did not take it. ${oneLine(delivery.trouble ?? '')}`);
  if (delivery.state !== 'sent') throw new Exit(1);
}

/** Lists deliveries. */
export async function listDeliveries(args: DeliveriesArgs): Promise<void> {
  const { channel, state, limit, before } = args;
  const query = { channel, state, limit, before };
  const deliveries = () =>
    connect(args).get('/notification-deliveries', z.array(NotificationDelivery), query);
  await show(args, deliveries, drawDeliveries);
}

function drawChannels(channels: NotificationChannel[]): string {
  if (channels.length === 0) return 'No channels. `notifications.channels` in the configuration has them.';
  return table(channels, [
    { title: 'CHANNEL', value: ({ name }) => name },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'RULES OF', value: ({ forPeople }) => (forPeople ? 'everybody' : 'admins') },
  ]);
}

function drawDeliveries(deliveries: NotificationDelivery[]): string {
  if (deliveries.length === 0) return 'Nothing was sent.';
  return table(deliveries, [
    { title: 'ID', value: ({ id }) => String(id), align: 'right' },
    { title: 'CHANNEL', value: ({ channel }) => channel },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'SINCE', value: ({ createdAt }) => relativeTime(createdAt) },
    { title: 'TRIES', value: ({ tries }) => String(tries), align: 'right' },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'WHAT', value: ({ title }) => oneLine(title) },
    { title: 'TROUBLE', value: ({ trouble }) => oneLine(trouble ?? '') },
  ]);
}
