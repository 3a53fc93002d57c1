// `autocode notify rules`, `subscribe` and `unsubscribe`.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { NotificationRule } from '../../../protocol/notification.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { show } from '../redraw.ts';

type OwnArgs = GlobalArgs & { own: boolean | undefined };
type Scoped = OwnArgs & { ownTasks: boolean | undefined };

interface SubscribeArgs extends Scoped {
  kinds: string[];
  project: string | undefined;
  channel: string[];
  person: string | undefined;
}

interface ChangeArgs extends Scoped {
  rule: number;
  kind: string[] | undefined;
  project: string | undefined;
  allProjects: boolean | undefined;
  channel: string[] | undefined;
  inboxOnly: boolean | undefined;
}

/** Lists rules. */
export async function listRules(args: OwnArgs): Promise<void> {
  await show(args, () => connect(args).get(pathOf(args), z.array(NotificationRule)), draw);
}

/** Makes a rule. */
export async function subscribe(args: SubscribeArgs): Promise<void> {
  const { kinds, project = null, channel: channels, person = null } = args;
  const body = { kinds, project, channels, ...own(args), ...(args.own === true ? {} : { person }) };
  tell(args, await connect(args).send('POST', pathOf(args), NotificationRule, body));
}

/** Changes what is given of a rule. */
export async function changeRule(args: ChangeArgs): Promise<void> {
  const { kind, project, allProjects, channel, inboxOnly } = args;
  const body = {
    ...(kind === undefined ? {} : { kinds: kind }),
    ...(allProjects === true ? { project: null } : project === undefined ? {} : { project }),
    ...(inboxOnly === true ? { channels: [] } : channel === undefined ? {} : { channels: channel }),
    ...own(args),
  };
  if (Object.keys(body).length === 0)
    throw new AutocodeError('ERR_INVALID_INPUT', 'Nothing was said to change.', {
      remedy: 'See `autocode notify change --help`.',
    });
  tell(args, await connect(args).send('PATCH', `${pathOf(args)}/${args.rule}`, NotificationRule, body));
}

function own({ ownTasks }: Scoped): { ownTasks?: boolean } {
  return ownTasks === undefined ? {} : { ownTasks };
}

function tell({ json }: GlobalArgs, rule: NotificationRule): void {
  if (json) return printJson(rule);
  const places = [`the inbox of ${rule.person ?? 'the installation'}`, ...rule.channels];
  const of = `${rule.ownTasks ? 'own tasks in ' : ''}${rule.project ?? 'all projects'}`;
  print(`Rule ${rule.id}: ${rule.kinds.join(', ')} of ${of} to ${places.join(', ')}.`);
}

/** Removes a rule. */
export async function unsubscribe(args: OwnArgs & { rule: number }): Promise<void> {
  await connect(args).send('DELETE', `${pathOf(args)}/${args.rule}`, z.unknown());
  if (args.json) return printJson({ removed: args.rule });
  print(`Rule ${args.rule} is removed.`);
}

function pathOf({ own }: OwnArgs): string {
  return own === true ? '/own-notification-rules' : '/notification-rules';
}

function draw(rules: NotificationRule[]): string {
  if (rules.length === 0) return 'No rules. `autocode notify subscribe KIND…` makes one.';
  return table(rules, [
    { title: 'RULE', value: ({ id }) => String(id), align: 'right' },
    { title: 'INBOX', value: ({ person }) => person ?? 'installation' },
    { title: 'PROJECT', value: ({ project }) => project ?? 'all' },
    { title: 'TASKS', value: ({ ownTasks }) => (ownTasks ? 'own' : 'all') },
    { title: 'CHANNELS', value: ({ channels }) => channels.join(', ') || '–' },
    { title: 'KINDS', value: ({ kinds }) => kinds.join(', ') },
  ]);
}
