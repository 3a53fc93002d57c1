// What came from the sources and what became of it; what waits for a person's word; the sources themselves.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import type { IntakeDelivery } from '../../../protocol/intake.ts';
import { get } from '../api/client.ts';
import { useMayInAll } from '../session/session.ts';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choices.tsx';
import { Empty } from '../ui/empty.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Table } from '../ui/table.tsx';
import { DeliveryRow } from './delivery-row.tsx';
import { Sources } from './sources.tsx';
import { linesOf } from './words.ts';

const MOST = 50;
const LOOK_MS = 5_000; // most of what comes is no event

/** What is shown of the log, by its name in the page. */
const VIEWS = {
  all: {},
  'waits for a person': { verdict: 'quarantined' },
  'became tasks': { verdict: 'created' },
  ignored: { verdict: 'ignored' },
  failed: { state: 'failed' },
} as const satisfies Record<string, { verdict?: string; state?: string }>;

/** The page at `/intake`. */
export function IntakePage() {
  const { view, source } = useSearch({ strict: false }) as { view?: string; source?: unknown };
  const from = typeof source === 'string' || typeof source === 'number' ? String(source) : undefined;
  const chosen = Object.hasOwn(VIEWS, view ?? '') ? (view as keyof typeof VIEWS) : 'all';
  const narrowed: { verdict?: string; state?: string } = VIEWS[chosen];
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['intake', 'deliveries', chosen, from],
    initialPageParam: undefined as number | undefined,
    queryFn: async ({ pageParam: before, signal }) =>
      await get<IntakeDelivery[]>(
        '/intake/deliveries',
        { ...narrowed, source: from, before, limit: MOST },
        signal,
      ),
    getNextPageParam: (last) => (last.length < MOST ? undefined : last.at(-1)?.id),
    refetchInterval: LOOK_MS,
  });
  const seesSources = useMayInAll('viewer');
  const lines = linesOf(data?.pages.flat() ?? [], narrowed.verdict);
  const choices = Object.keys(VIEWS).map((name) => ({
    name,
    search: { ...(name === 'all' ? {} : { view: name }), ...(from === undefined ? {} : { source: from }) },
  }));
  return (
    <Page title="Intake">
      {seesSources && <Sources chosen={from} />}
      <Section
        title={from === undefined ? 'What came' : `What came from ${from}`}
        actions={<Choices label="What is shown" to="/intake" chosen={chosen} choices={choices} />}
      >
        {error && <Problem error={error} />}
        {data !== undefined && lines.length === 0 && <Nothing chosen={chosen} />}
        {lines.length > 0 && (
          <Table label="Deliveries" heads={['When', 'From', 'What', 'Became', 'Actions']}>
            {lines.map((line) => (
              <DeliveryRow key={`${line.delivery.id} ${line.item?.id ?? ''}`} line={line} />
            ))}
          </Table>
        )}
        {hasNextPage && (
          <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Older
          </Button>
        )}
      </Section>
    </Page>
  );
}

function Nothing({ chosen }: { chosen: keyof typeof VIEWS }) {
  if (chosen === 'waits for a person') {
    return (
      <Empty title="Nothing waits for a person">
        <p>
          Text that speaks to an agent rather than to people, and more than a source may bring in an hour,
          waits here until somebody takes it up or refuses it.
        </p>
      </Empty>
    );
  }
  return (
    <Empty title={chosen === 'all' ? 'Nothing came yet' : 'Nothing of this kind'}>
      <p>
        Everything that a source delivers is in this log with what became of it, and why, also when nothing
        was made of it.
      </p>
    </Empty>
  );
}
