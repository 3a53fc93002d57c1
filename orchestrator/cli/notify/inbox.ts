// `autocode notify list` and `read`.
import { z } from 'zod';
import { Inbox } from '../../../protocol/notification.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { oneLine, relativeTime } from '../format.ts';
import { print, printJson, table } from '../output.ts';
import { show } from '../redraw.ts';

interface ListArgs extends GlobalArgs {
  unread: boolean;
  limit: number;
  before: number | undefined;
}

/** Lists the inbox. */
export async function listInbox(args: ListArgs): Promise<void> {
  const { unread, limit, before } = args;
  const query = { unread: String(unread), limit, before };
  await show(args, () => connect(args).get('/notifications', Inbox, query), draw);
}

/** Notes that it was read. */
export async function markRead(args: GlobalArgs & { notification: number }): Promise<void> {
  const answer = z.object({ read: z.number() });
  const done = await connect(args).send('POST', '/notifications/read', answer, { upTo: args.notification });
  if (args.json) return printJson(done);
  print(`${done.read} more are read.`);
}

function draw({ unread, notifications }: Inbox): string {
  if (notifications.length === 0)
    return 'Nothing was told. `autocode notify subscribe` says what is to be told.';
  const list = table(notifications, [
    { title: 'ID', value: ({ id }) => String(id), align: 'right' },
    { title: 'WHEN', value: ({ at }) => relativeTime(at) },
    { title: '', value: ({ readAt }) => (readAt === null ? 'new' : '') },
    { title: 'PROJECT', value: ({ project }) => project ?? '–' },
    { title: 'KIND', value: ({ kind }) => kind },
    {
      title: 'WHAT',
      value: ({ title, count }) => oneLine(count === 1 ? title : `${title} (${count} times)`),
    },
  ]);
  return `${list}\n\n${unread} unread.`;
}
