// `autocode notify settings`.
import { AutocodeError } from '../../../protocol/errors.ts';
import { OwnNotificationSettings } from '../../../protocol/notification-ways.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { oneLine } from '../format.ts';
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
  if (args.json) return printJson(now);
  print(draw(now));
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
  const { address, addressByProvider, email, digest, digestAt, quietHours: quiet, timeZone } = given;
  const { emailOffered, pushOffered } = given;
  const where = `${oneLine(address ?? 'no address')}${addressByProvider ? ', as the provider says' : ''}`;
  return [
    `email: ${email ? 'on' : 'off'} (${where})${emailOffered ? '' : '; this installation sends none'}`,
    `browsers: ${pushOffered ? 'those that are subscribed on the page' : 'this installation sends to none'}`,
    `digest: ${digest}${digest === 'daily' ? ` at ${digestAt}` : ''}`,
    `quiet hours: ${quiet === null ? 'none' : `${quiet.from} to ${quiet.to}`}`,
    `time zone: ${oneLine(timeZone)}`,
  ].join('\n');
}
