// What was sent by which channel, and why not. For operators.
import { useInfiniteQuery } from '@tanstack/react-query';
import type { NotificationDelivery } from '../../../protocol/notification.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { clock } from '../task/format.ts';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choices.tsx';
import { Empty } from '../ui/empty.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Table } from '../ui/table.tsx';
import { Outcome, STATE_WORDS, STATES } from './outcome.tsx';
import { wordsOf } from './words.ts';

const MOST = 50;
const LOOK_MS = 10_000; // a try that failed is no event

/** The log. */
export function Deliveries({ search }: { search: Record<string, unknown> }) {
  const state = STATES.find((each) => each === search.state);
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['notification', 'deliveries', state ?? 'all'],
    initialPageParam: undefined as number | undefined,
    queryFn: async ({ pageParam: before, signal }) =>
      await get<NotificationDelivery[]>('/notification-deliveries', { state, before, limit: MOST }, signal),
    getNextPageParam: (last) => (last.length < MOST ? undefined : last.at(-1)?.id),
    refetchInterval: LOOK_MS,
  });
  const deliveries = data?.pages.flat() ?? [];
  const wordOf = (each: typeof state) => (each === undefined ? 'all' : STATE_WORDS[each].text);
  const choices = [undefined, ...STATES].map((each) => ({
    name: wordOf(each),
    search: { view: 'channels', ...(each === undefined ? {} : { state: each }) },
  }));
  return (
    <Section
      title="Deliveries"
      actions={<Choices label="States" to="/inbox" chosen={wordOf(state)} choices={choices} />}
    >
      {error && <Problem error={error} />}
      {data !== undefined && deliveries.length === 0 && (
        <Empty title={state === undefined ? 'Nothing was sent yet' : `Nothing is ${wordOf(state)}`}>
          <p>What a rule sends by a channel is in this log, with each failure and when it is tried again.</p>
        </Empty>
      )}
      {deliveries.length > 0 && (
        <Table label="Deliveries" heads={['When', 'By', 'What', 'Outcome']}>
          {deliveries.map((each) => (
            <tr key={each.id}>
              <Cell className="whitespace-nowrap text-muted">
                <time dateTime={each.createdAt}>{clock(each.createdAt)}</time>
              </Cell>
              <Cell className="whitespace-nowrap">
                {each.channel}
                {each.person !== null && <span className="text-muted"> of {each.person}</span>}
              </Cell>
              <Cell className="min-w-56">
                <bdi className="break-words">{visible(each.title)}</bdi>{' '}
                <span className="text-sm whitespace-nowrap text-muted">
                  {wordsOf(each.kind).text}
                  {each.count > 1 && `, ${each.count} times`}
                </span>
              </Cell>
              <Cell className="min-w-56">
                <Outcome of={each} />
              </Cell>
            </tr>
          ))}
        </Table>
      )}
      {hasNextPage && (
        <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Older
        </Button>
      )}
    </Section>
  );
}
