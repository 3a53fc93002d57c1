// What somebody was told, and the rules by which they are.
import { useSearch } from '@tanstack/react-router';
import { Choices } from '../ui/choices.tsx';
import { Page } from '../ui/page.tsx';
import { inboxFilter } from './filter.ts';
import { InboxList } from './inbox-list.tsx';

const VIEWS = ['inbox'] as const;

/** The page at `/inbox`. */
export function InboxPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const view = VIEWS.find((each) => each === search.view) ?? 'inbox';
  const choices = VIEWS.map((name) => ({ name, search: name === 'inbox' ? {} : { view: name } }));
  return (
    <Page title="Inbox" actions={<Choices label="View" to="/inbox" chosen={view} choices={choices} />}>
      <InboxList filter={inboxFilter(search)} />
    </Page>
  );
}
