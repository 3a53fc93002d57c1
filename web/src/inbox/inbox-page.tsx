// What somebody was told; the rules by which they are, and by which channels besides.
import { useSearch } from '@tanstack/react-router';
import { useMayInAll, useUser } from '../session/session.ts';
import { Choices } from '../ui/choices.tsx';
import { Page } from '../ui/page.tsx';
import { Channels } from './channels.tsx';
import { inboxFilter } from './filter.ts';
import { InboxList } from './inbox-list.tsx';
import { Rules } from './rules.tsx';
import { Ways } from './ways.tsx';

/** Its views, and what each is called. */
const VIEWS = { told: 'told', rules: 'rules', ways: 'email and browsers', channels: 'channels' };
type View = keyof typeof VIEWS;

/** The page at `/inbox`. */
export function InboxPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const user = useUser();
  const offered: Record<View, boolean> = {
    told: true,
    rules: true,
    ways: user?.person === true,
    channels: useMayInAll('operator'),
  };
  const views = (Object.keys(VIEWS) as View[]).filter((each) => offered[each]);
  const view = views.find((each) => each === search.view) ?? 'told';
  const choices = views.map((each) => ({
    name: VIEWS[each],
    search: each === 'told' ? {} : { view: each },
  }));
  return (
    <Page title="Inbox" actions={<Choices label="View" to="/inbox" chosen={VIEWS[view]} choices={choices} />}>
      {view === 'told' && <InboxList filter={inboxFilter(search)} />}
      {view === 'rules' && <Rules />}
      {view === 'ways' && user !== undefined && <Ways person={user.name} />}
      {view === 'channels' && <Channels search={search} />}
    </Page>
  );
}
