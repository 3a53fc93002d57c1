// `autocode notify channels`, `test` and `deliveries`.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
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

/** Sends a test by a channel or to oneself; ends with 1 where one did not arrive. */
export async function testWays(
  args: GlobalArgs & { channel: string | undefined; own: boolean | undefined },
): Promise<void> {
  if (args.channel === undefined && args.own !== true)
    throw new AutocodeError('ERR_INVALID_INPUT', 'Neither a channel was named nor --own.', {
      remedy: 'See `autocode notify channels`.',
    });
  const deliveries = args.channel === undefined ? await testOwn(args) : [await testOne(args, args.channel)];
  if (args.json) printJson(args.channel === undefined ? deliveries : deliveries[0]);
  else if (deliveries.length === 0)
    print('There is no address and no browser. See `autocode notify settings`.');
  else for (const delivery of deliveries) print(outcomeOf(delivery));
  if (deliveries.length === 0 || deliveries.some(({ state }) => state !== 'sent')) throw new Exit(1);
}

async function testOne(args: GlobalArgs, channel: string): Promise<NotificationDelivery> {
  const path = `/notification-channels/${encodeURIComponent(channel)}/tests`;
  return await connect(args).send('POST', path, NotificationDelivery);
}

async function testOwn(args: GlobalArgs): Promise<NotificationDelivery[]> {
  return await connect(args).send('POST', '/own-notification-tests', z.array(NotificationDelivery));
}

function outcomeOf({ channel, person, state, message, trouble }: NotificationDelivery): string {
  const name =
    person === null
      ? `The channel ${channel}`
      : `${channel === 'push' ? 'A browser' : 'The email'} of ${person}`;
  return state === 'sent'
    ? `${name} took it, as ${message}.`
    : `${name} did not take it. ${oneLine(trouble ?? '')}`;
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
    {
      title: 'CHANNEL',
      value: ({ channel, person }) => (person === null ? channel : `${channel} of ${person}`),
    },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'SINCE', value: ({ createdAt }) => relativeTime(createdAt) },
    { title: 'TRIES', value: ({ tries }) => String(tries), align: 'right' },
    { title: 'KIND', value: ({ kind }) => kind },
    {
      title: 'WHAT',
      value: ({ title, count }) => oneLine(count === 1 ? title : `${title} (${count} times)`),
    },
    { title: 'TROUBLE', value: ({ trouble }) => oneLine(trouble ?? '') },
  ]);
}
