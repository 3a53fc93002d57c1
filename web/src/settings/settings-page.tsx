// The configuration, made from the daemon's schema: looked through, searched, changed in the file. For admins.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { Setting, Settings } from '../../../protocol/settings.ts';
import { ApiError, get, send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Empty } from '../ui/empty.tsx';
import { Input } from '../ui/field.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { edited, inWords, movedBetween, nextOf, patchOf, type Draft, type Moved } from './draft.ts';
import { FileState } from './file-state.tsx';
import { Restart } from './restart.tsx';
import { mistakesOf, SaveBar } from './save-bar.tsx';
import { SettingRow } from './setting-row.tsx';
import { groupName, isAbout } from './words.ts';

const NOTHING: Draft = new Map();
const settingsQuery = {
  queryKey: ['settings'],
  queryFn: async ({ signal }: { signal: AbortSignal }) => await get<Settings>('/settings', {}, signal),
};

/** The page at `/settings`. */
export function SettingsPage() {
  const { data, error } = useQuery(settingsQuery);
  return (
    <Page title="Settings" actions={data && <Button onClick={() => download(data)}>Download</Button>}>
      {error && <Problem error={error} />}
      {data && <Form settings={data} />}
    </Page>
  );
}

function Form({ settings }: { settings: Settings }) {
  const cache = useQueryClient();
  const [words, setWords] = useState('');
  const [draft, setDraft] = useState(NOTHING);
  const [drafts, setDrafts] = useState(0);
  const [problem, setProblem] = useState<unknown>();
  const [moved, setMoved] = useState<Moved[]>([]);
  useAnchor();
  const begin = (from: Draft) => {
    setDraft(from);
    setDrafts(drafts + 1);
    setProblem(undefined);
    setMoved([]);
  };
  const save = async () => {
    try {
      const saved = await send<Settings>('PATCH', '/settings', patchOf(draft, settings.version));
      cache.setQueryData(settingsQuery.queryKey, saved);
      void cache.invalidateQueries({ queryKey: ['status'] });
      begin(NOTHING);
      toast('Saved. It holds from the next start of the daemon.');
    } catch (refused) {
      setProblem(refused);
      setMoved([]);
      if (!(refused instanceof ApiError) || refused.code !== 'ERR_CONFLICT') return;
      const now = await cache.fetchQuery({ ...settingsQuery, staleTime: 0 }).catch(() => undefined);
      if (now === undefined || now.version === settings.version) return;
      setProblem(undefined);
      setMoved(movedBetween(settings, now));
    }
  };
  const mistakes = mistakesOf(problem);
  const found = settings.keys.filter((setting) => isAbout(setting, words));
  const groups = Map.groupBy(found, ({ group }) => group);
  return (
    <>
      <FileState settings={settings} />
      <Restart settings={settings} />
      <div className="gap-6 side:grid side:grid-cols-[9.5rem_minmax(0,1fr)]">
        <Parts groups={[...groups.keys()]} />
        <div className="min-w-0 space-y-5">
          <div className="sticky top-0 z-10 mb-2 flex items-center gap-3 bg-canvas py-2">
            <Input
              type="search"
              aria-label="Search the settings"
              placeholder="What is it called?"
              className="max-w-96"
              value={words}
              onChange={({ target }) => setWords(target.value)}
            />
            <p role="status" className="whitespace-nowrap text-muted">
              {words !== '' && `${found.length} of ${settings.keys.length}`}
            </p>
          </div>
          {found.length === 0 && (
            <Empty title="No setting is called so">
              <p>Words of its name or of what it is about are searched for, as “retention days”.</p>
            </Empty>
          )}
          {[...groups].map(([group, keys]) => (
            <div key={group} id={`part-${group}`} className="scroll-mt-14">
              <Section title={groupName(group)}>
                <div className="divide-y divide-line rounded-lg border border-line bg-surface">
                  {keys.map((setting) => (
                    <SettingRow
                      key={`${setting.path} ${drafts}`}
                      setting={setting}
                      draft={draft}
                      readOnly={settings.readOnly !== null}
                      mistakes={mistakes
                        .filter(({ path }) => path === setting.path || path.startsWith(`${setting.path}.`))
                        .map(({ path, message }) => told(setting, path, message))}
                      onEdit={(each, edit) => setDraft((was) => edited(was, each, edit))}
                    />
                  ))}
                </div>
              </Section>
            </div>
          ))}
          <SaveBar
            settings={settings}
            draft={draft}
            problem={problem}
            moved={moved}
            onSave={save}
            onDiscard={() => begin(NOTHING)}
          />
        </div>
      </div>
      <Leaving unsaved={draft.size} />
    </>
  );
}

function Parts({ groups }: { groups: string[] }) {
  return (
    <nav
      aria-label="Parts of the settings"
      className="mb-4 flex flex-wrap gap-1 self-start side:sticky side:top-4 side:mb-0 side:max-h-[calc(100dvh-3rem)] side:flex-col side:overflow-y-auto"
    >
      {groups.map((group) => (
        <a
          key={group}
          href={`#part-${group}`}
          className="rounded-md px-2 py-0.5 text-muted hover:bg-sunken hover:text-ink"
        >
          {groupName(group)}
        </a>
      ))}
    </nav>
  );
}

/** Asks before a page with changes is left. */
function Leaving({ unsaved }: { unsaved: number }) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => unsaved > 0 && current.pathname !== next.pathname,
    enableBeforeUnload: () => unsaved > 0,
    withResolver: true,
  });
  if (status !== 'blocked') return null;
  return (
    <Dialog title="Leave without saving?" onClose={reset}>
      <p className="p-4">
        {unsaved === 1 ? 'One change is' : `${unsaved} changes are`} not saved, and will be gone.
      </p>
      <div className="flex justify-end gap-2 border-t border-line px-4 py-2.5">
        <Button onClick={reset} autoFocus>
          Stay
        </Button>
        <Button look="danger" onClick={proceed}>
          Leave
        </Button>
      </div>
    </Dialog>
  );
}

/** Shows the key that the address names, once it is there. */
function useAnchor(): void {
  useEffect(() => {
    const key = decodeURIComponent(window.location.hash.slice(1));
    if (key !== '') document.getElementById(key)?.scrollIntoView();
  }, []);
}

function told({ path: key }: Setting, path: string, message: string): string {
  return path === key
    ? `${message[0]?.toUpperCase()}${message.slice(1)}.`
    : `${path.slice(key.length + 1)}: ${message}.`;
}

/** As `autocode config show` prints it. */
function download({ keys }: Settings): void {
  const lines = keys.map((key) => `${key.path}\t${inWords(nextOf(key))}\t${key.source}\n`);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(['KEY\tVALUE\tFROM\n', ...lines], { type: 'text/plain' }));
  link.download = 'autocode-settings.tsv';
  link.click();
  URL.revokeObjectURL(link.href);
}
