// `autocode notify settings` and `confirm`.
import { AutocodeError } from '../../../protocol/errors.ts';
import { NotificationDelivery } from '../../../protocol/notification.ts';
import { OwnNotificationSettings } from '../../../protocol/notification-ways.ts';
import { connect } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { oneLine, relativeTime } from '../format.ts';
import { print, printJson } from '../output.ts';
import { show } from '../redraw.ts';

interface SettingsArgs extends GlobalArgs {
  email: boolean | undefined;
  address: string | undefined;
  digest: string | undefined;
  digestAt: string | undefined;
  quiet: string | undefined;
  timeZone: string | undefined;
}

const PATH = '/own-notification-settings';

/** Shows what a person has set; with something to change, changes it first. */
export async function settings(args: SettingsArgs): Promise<void> {
  const { email, address, digest, digestAt, quiet, timeZone } = args;
  const given = {
    email,
    address: address === 'none' ? null : address,
    digest,
    digestAt,
    quietHours: quietHours(quiet),
    timeZone,
  };
  const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (Object.keys(changes).length === 0)
    return await show(args, () => connect(args).get(PATH, OwnNotificationSettings), draw);
  const now = await connect(args).send('PATCH', PATH, OwnNotificationSettings, changes);
  const sendsLetter = typeof changes.address === 'string' && now.emailOffered && !now.addressConfirmed;
  const letter = sendsLetter ? await askForLetter(args) : undefined;
  if (args.json)
    return printJson(letter === undefined ? now : await connect(args).get(PATH, OwnNotificationSettings));
  print(draw(now));
  if (letter !== undefined) print(`\n${outcomeOf(letter, now.address)}`);
}

/** Confirms the own address by the code of a letter; without one, has a letter sent and ends with 1 where it was not taken. */
export async function confirm(args: GlobalArgs & { code: string | undefined }): Promise<void> {
  if (args.code === undefined) {
    const letter = await askForLetter(args);
    const { address } = await connect(args).get(PATH, OwnNotificationSettings);
    if (args.json) printJson(letter);
    else print(outcomeOf(letter, address));
    if (letter.state !== 'sent') throw new Exit(1);
    return;
  }
  const body = { code: args.code };
  const now = await connect(args).send('POST', '/own-email-confirmations', OwnNotificationSettings, body);
  if (args.json) return printJson(now);
  print(`${oneLine(now.address ?? '')} is confirmed.\n${draw(now)}`);
}

async function askForLetter(args: GlobalArgs): Promise<NotificationDelivery> {
  return await connect(args).send('POST', '/own-email-letters', NotificationDelivery);
}

function outcomeOf({ state, trouble }: NotificationDelivery, address: string | null): string {
  const to = oneLine(address ?? '');
  return state === 'sent'
    ? `A letter with a code is on its way to ${to}: \`autocode notify confirm CODE\`.`
    : `No letter went to ${to}: ${oneLine(trouble ?? '')} Try again with \`autocode notify confirm\`.`;
}

function quietHours(quiet: string | undefined): { from: string; to: string } | null | undefined {
  if (quiet === undefined) return undefined;
  if (quiet === 'none') return null;
  const [from = '', to = '', ...more] = quiet.split('-');
  if (to === '' || more.length > 0)
    throw new AutocodeError('ERR_INVALID_INPUT', `--quiet ${quiet} names no two times.`, {
      remedy: 'Write it as 22:00-07:00, or `none`.',
    });
  return { from, to };
}

function draw(given: OwnNotificationSettings): string {
  const { email, emailOffered, pushOffered, digest, digestAt, quietHours: quiet, timeZone } = given;
  return [
    `email: ${email ? 'on' : 'off'} (${addressOf(given)})${emailOffered ? '' : '; this installation sends none'}`,
    `browsers: ${pushOffered ? 'those that are subscribed on the page' : 'this installation sends to none'}`,
    `digest: ${digest}${digest === 'daily' ? ` at ${digestAt}` : ''}`,
    `quiet hours: ${quiet === null ? 'none' : `${quiet.from} to ${quiet.to}`}`,
    `time zone: ${oneLine(timeZone)}`,
  ].join('\n');
}

function addressOf({
  address,
  addressByProvider,
  addressConfirmed,
  letterAt,
}: OwnNotificationSettings): string {
  if (address === null) return 'no address';
  if (addressByProvider) return `${oneLine(address)}, as the provider says`;
  if (addressConfirmed) return oneLine(address);
  const letter =
    letterAt === null
      ? '`autocode notify confirm` sends a letter'
      : `a letter was sent ${relativeTime(letterAt)}`;
  return `${oneLine(address)}, not confirmed: nothing is sent to it; ${letter}`;
}
