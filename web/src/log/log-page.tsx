// The log of a run, at its end as it comes or wherever somebody looks.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { Run } from '../../../protocol/run.ts';
import { get } from '../api/client.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';
import { logPath, type LogName } from './follow.ts';
import { LogView, type LogViewHandle } from './log-view.tsx';
import { LogWindow, type LogState } from './log-window.ts';
import { LogSearch } from './search.tsx';

/** What the address says. */
interface Place {
  stream?: 'events' | 'raw';
  line?: number;
  text?: string;
}

/** The page at `/runs/$run/log`. */
export function LogPage() {
  const { run } = useParams({ strict: false }) as { run: string };
  const place = useSearch({ strict: false }) as Place;
  const stream = place.stream === 'raw' ? 'raw' : 'events';
  const { data, error } = useQuery({
    queryKey: ['run', run],
    queryFn: async ({ signal }) => await get<Run>(`/runs/${encodeURIComponent(run)}`, {}, signal),
  });
  if (error) {
    return (
      <div className="p-4">
        <Problem error={error} />
      </div>
    );
  }
  if (data === undefined) return <p className="p-4 text-muted">Asking for the run …</p>;
  return <OpenLog key={`${run}/${stream}`} run={data} log={{ run, stream }} place={place} />;
}

function OpenLog({ run, log: { stream }, place }: { run: Run; log: LogName; place: Place }) {
  const [log, setLog] = useState<LogWindow>();
  useEffect(() => {
    const opened = new LogWindow({ run: run.id, stream });
    setLog(opened);
    void opened.start();
    return () => opened.stop();
  }, [run.id, stream]);
  return log === undefined ? null : <Shown run={run} log={log} stream={stream} place={place} />;
}

function Shown({
  run,
  log,
  stream,
  place,
}: {
  run: Run;
  log: LogWindow;
  stream: 'events' | 'raw';
  place: Place;
}) {
  const state = useSyncExternalStore(log.subscribe, log.state);
  const [follow, setFollow] = useState(place.line === undefined);
  const view = useRef<LogViewHandle>(null);
  const navigate = useNavigate();
  const name: LogName = { run: run.id, stream };
  // The router must not bring the scroll position back that the address had before.
  const go = (change: Partial<Place>) =>
    void navigate({ to: '.', search: { ...place, ...change } as never, replace: true, resetScroll: false });
  const goToLine = (line: number) => {
    setFollow(false);
    go({ line });
    view.current?.show(line);
  };
  // An address with a line opens there, once the log is known.
  const asked = useRef(place.line);
  useEffect(() => {
    if (!state.opened || asked.current === undefined) return;
    view.current?.show(asked.current);
    asked.current = undefined;
  }, [state.opened]);
  useLogKeys({
    end: () => setFollow(true),
    start: () => goToLine(1),
    pause: () => setFollow(!follow),
    focus: () => view.current?.focus(),
  });
  return (
    <div className="flex h-full flex-col">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-3 py-2">
        <h1 className="font-semibold">
          <Link to={`/tasks/${run.task}` as '/'} className="text-accent underline">
            Task {run.task}
          </Link>
          , log of run {run.id}
        </h1>
        <Badge tone={run.finishedAt === null ? 'info' : 'neutral'}>{run.state}</Badge>
        <nav aria-label="Streams" className="flex gap-1">
          {(['events', 'raw'] as const).map((each) => (
            <Link
              key={each}
              to="."
              search={{ stream: each } as never}
              replace
              className="rounded-md px-2 py-0.5 text-muted hover:bg-sunken aria-[current=page]:bg-accent/12 aria-[current=page]:text-accent"
              activeOptions={{ includeSearch: true, exact: true }}
              {...(each === stream ? { 'aria-current': 'page' as const } : {})}
            >
              {each === 'events' ? 'What happened' : "Agent's output"}
            </Link>
          ))}
        </nav>
        <span className="flex-1" />
        <Button onClick={() => setFollow(!follow)} aria-pressed={follow} aria-keyshortcuts="p">
          {follow ? 'Pause' : 'Follow'}
        </Button>
        <a
          className="text-accent hover:underline"
          href={`/api/v1${logPath(name)}`}
          download={`${run.id}.${stream}.log`}
        >
          Download
        </a>
      </header>
      <div className="border-b border-line px-3 py-1.5">
        <LogSearch
          log={name}
          bytes={state.bytes}
          text={place.text ?? ''}
          onText={(text) => go({ text })}
          onLine={goToLine}
        />
      </div>
      {state.problem !== undefined && <Problem error={state.problem} />}
      <div className="min-h-0 flex-1">
        <LogView
          ref={view}
          log={log}
          label={`Log of run ${run.id}`}
          events={stream === 'events'}
          marked={place.line}
          follow={follow}
          onFollow={setFollow}
        />
      </div>
      <Footer state={state} follow={follow} />
    </div>
  );
}

function Footer({ state, follow }: { state: LogState; follow: boolean }) {
  const { total, bytes, redacted, live } = state;
  const cut = state.state === 'truncated';
  return (
    <footer className="flex flex-wrap gap-x-4 border-t border-line bg-surface px-3 py-1 text-sm text-muted">
      <span>{total.toLocaleString('en')} lines</span>
      <span>{(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB</span>
      <span data-gaps={cut ? 1 : 0} className={cut ? 'text-bad' : ''}>
        {cut
          ? `1 gap: its worker was lost, what it had after byte ${bytes.toLocaleString('en')} is missing`
          : 'No gaps'}
      </span>
      {redacted > 0 && <span>{redacted.toLocaleString('en')} bytes masked</span>}
      <span className="flex-1" />
      <span role="status">
        {state.state === 'open'
          ? live
            ? follow
              ? 'Following'
              : 'Paused; more comes at the end'
            : 'Reconnecting; it goes on where it was'
          : 'The log is complete'.replace('complete', cut ? 'cut off' : 'complete')}
      </span>
    </footer>
  );
}

interface LogKeys {
  end(): void;
  start(): void;
  pause(): void;
  focus(): void;
}

/** `/` searches, `G` and `End` follow, `p` pauses, `Home` goes to the beginning. */
function useLogKeys(keys: LogKeys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { target } = event;
      if (target instanceof HTMLElement && target.matches('input, textarea, select')) {
        if (event.key === 'Escape') latest.current.focus();
        return;
      }
      const does: Record<string, () => void> = {
        '/': () => document.querySelector<HTMLElement>('[data-log-search]')?.focus(),
        G: latest.current.end,
        End: latest.current.end,
        Home: latest.current.start,
        p: latest.current.pause,
      };
      if (does[event.key] === undefined) return;
      event.preventDefault();
      does[event.key]!();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}
