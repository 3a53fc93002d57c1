// The channels that rules may name, and what was sent by them.
import { useQuery } from '@tanstack/react-query';
import type { NotificationChannel, NotificationDelivery } from '../../../protocol/notification.ts';
import { get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { toast, toastProblem } from '../ui/toasts.tsx';
import { Deliveries } from './deliveries.tsx';
import { Outcome } from './outcome.tsx';

/** Channels with how the last delivery went, and the log of all. */
export function Channels({ search }: { search: Record<string, unknown> }) {
  const { data, error } = useQuery({
    queryKey: ['notification-channels'],
    queryFn: async ({ signal }) => await get<NotificationChannel[]>('/notification-channels', {}, signal),
  });
  return (
    <>
      <Section title="Channels">
        {error && <Problem error={error} />}
        {data?.length === 0 && (
          <Empty title="No channels">
            <p>
              Slack, a webhook or an address of email stand in the configuration as{' '}
              <code>notifications.channels</code>; rules name them, and people too where a channel says{' '}
              <code>forPeople</code>.
            </p>
          </Empty>
        )}
        {data !== undefined && data.length > 0 && (
          <Table label="Channels" heads={['Channel', 'Kind', 'May be named by', 'Last', 'Actions']}>
            {data.map((channel) => (
              <Row key={channel.name} channel={channel} />
            ))}
          </Table>
        )}
      </Section>
      <Deliveries search={search} />
    </>
  );
}

function Row({ channel: { name, kind, forPeople } }: { channel: NotificationChannel }) {
  const admin = useMayInAll('admin');
  const { data: [last] = [] } = useQuery({
    queryKey: ['notification', 'deliveries', 'last', name],
    queryFn: async ({ signal }) =>
      await get<NotificationDelivery[]>('/notification-deliveries', { channel: name, limit: 1 }, signal),
  });
  const test = async () => {
    try {
      const { state, trouble } = await send<NotificationDelivery>(
        'POST',
        `/notification-channels/${name}/tests`,
      );
      if (state === 'sent') toast(`${name} took the test.`);
      else toast(`${name} did not take the test. ${visible(trouble ?? '')}`, true);
    } catch (failed) {
      toastProblem(failed);
    }
    await queries.invalidateQueries({ queryKey: ['notification'] });
  };
  return (
    <tr>
      <Head>{name}</Head>
      <Cell>{kind}</Cell>
      <Cell>{forPeople ? 'everybody' : 'admins'}</Cell>
      <Cell className="min-w-56">
        {last === undefined ? <span className="text-muted">nothing sent</span> : <Outcome of={last} />}
      </Cell>
      <Cell className="py-0.5!">
        {admin && (
          <Button look="quiet" onClick={() => void test()} aria-label={`Test ${name}`}>
            Test
          </Button>
        )}
      </Cell>
    </tr>
  );
}
