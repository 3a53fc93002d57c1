// What the agent does, entry by entry, as it happens. Used by the task page.
import { Link } from '@tanstack/react-router';
import { memo, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { spansOf } from '../log/ansi.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Empty } from '../ui/empty.tsx';
import { Problem } from '../ui/problem.tsx';
import { clock, lasted } from './format.ts';
import { RunFeed, type Entry, type FeedState } from './run-feed.ts';
import { Words } from './words.tsx';

const FEW = 3;
const TAIL_LINES = 12;
const MANY_LINES = 40;
/** So many of the last entries are drawn; the rest when asked for. */
const DRAWN = 300;

/** The feed of one run; `active`: it goes on. */
export function Feed({ run, active }: { run: string; active: boolean }) {
  const [feed, setFeed] = useState<RunFeed>();
  useEffect(() => {
    const opened = new RunFeed(run);
    setFeed(opened);
    void opened.start();
    return () => opened.stop();
  }, [run]);
  return feed === undefined ? null : <Shown feed={feed} run={run} active={active} />;
}

function Shown({ feed, run, active }: { feed: RunFeed; run: string; active: boolean }) {
  const { entries, first, opened, live, problem } = useSyncExternalStore(feed.subscribe, feed.state);
  const [drawn, setDrawn] = useState(DRAWN);
  if (problem !== undefined) return <Problem error={problem} />;
  if (!opened) return <p className="text-muted">Reading what happened …</p>;
  if (entries.length === 0) return <Empty title="Nothing has happened yet" />;
  return (
    <>
      <Earlier
        run={run}
        first={first}
        hidden={entries.length - drawn}
        onMore={() => setDrawn(drawn + DRAWN)}
      />
      <ol className="space-y-2" aria-label="What the agent did">
        {entries.slice(-drawn).map((entry) => (
          <li key={entry.key} className="[content-visibility:auto] [contain-intrinsic-size:auto_2rem]">
            <One entry={entry} active={active} />
          </li>
        ))}
      </ol>
      {active && (
        <p role="status" className="mt-2 text-sm text-muted">
          {live ? 'At work …' : 'Reconnecting; it goes on where it was.'}
        </p>
      )}
    </>
  );
}

interface EarlierProps extends Pick<FeedState, 'first'> {
  run: string;
  hidden: number;
  onMore(): void;
}

function Earlier({ run, first, hidden, onMore }: EarlierProps) {
  if (hidden > 0) {
    return (
      <button type="button" onClick={onMore} className="mb-2 text-accent hover:underline">
        Show {Math.min(hidden, DRAWN)} earlier of {hidden}
      </button>
    );
  }
  if (first === 1) return null;
  return (
    <p className="mb-2 text-muted">
      What was before is{' '}
      <Link
        to={`/runs/${run}/log` as '/'}
        search={{ line: first } as never}
        className="text-accent underline"
      >
        in the log
      </Link>
      .
    </p>
  );
}

const One = memo(function One({ entry, active }: { entry: Entry; active: boolean }) {
  switch (entry.kind) {
    case 'step':
      return <Step entry={entry} active={active} />;
    case 'message':
      return <Message entry={entry} />;
    case 'tools':
      return <Tools entry={entry} />;
    case 'files':
      return (
        <ul className="font-mono text-sm">
          {entry.files.map(({ path, change }) => (
            <li key={path}>
              <span className="text-accent">{change}</span> <bdi>{visible(path)}</bdi>
            </li>
          ))}
        </ul>
      );
    case 'output':
      return <Output entry={entry} />;
    case 'notice':
      return (
        <div className={`border-l-2 pl-2 ${entry.bad ? 'border-bad text-bad' : 'border-warn text-warn'}`}>
          <Words text={entry.text} />
        </div>
      );
  }
});

const STEPS: Record<string, string> = {
  base: 'Fetch the base',
  workspace: 'Make the workspace',
  'base-verify': 'Verify the base',
  context: 'Gather context',
  plan: 'Plan',
  execute: 'Execute',
  verify: 'Verify',
  adjust: 'Adjust',
  push: 'Push',
  'final-verify': 'Verify the result, from a fresh clone',
  finish: 'Finish',
};

function Step({ entry, active }: { entry: Extract<Entry, { kind: 'step' }>; active: boolean }) {
  const { step, endedAt } = entry;
  const failed = step.status === 'failed';
  const goes = endedAt === undefined && active;
  const mark = failed ? '✗' : endedAt === undefined ? (goes ? '●' : '○') : '✓';
  const name = STEPS[step.step] ?? step.step;
  return (
    <h2 className="flex items-baseline gap-2 border-t border-line pt-2 font-semibold">
      <span aria-hidden className={failed ? 'text-bad' : goes ? 'text-info' : 'text-good'}>
        {mark}
      </span>
      <span>
        {name}
        {step.iteration !== undefined && step.iteration > 1 && `, try ${step.iteration}`}
      </span>
      <span className="text-sm font-normal text-muted">
        {failed ? 'failed, ' : ''}
        {endedAt === undefined ? `since ${clock(step.t)}` : lasted(endedAt - step.t)}
      </span>
      {step.detail !== undefined && (
        <bdi className="min-w-0 truncate text-sm font-normal text-muted">{visible(step.detail)}</bdi>
      )}
    </h2>
  );
}

function Message({ entry: { role, text } }: { entry: Extract<Entry, { kind: 'message' }> }) {
  if (role === 'agent') return <Said text={text} />;
  if (role === 'person') {
    return (
      <div className="rounded-md bg-review/10 px-2 py-1">
        <p className="text-sm text-review">A person said</p>
        <Words text={text} />
      </div>
    );
  }
  return (
    <details className="text-muted">
      <summary>{role === 'thought' ? 'Thought' : 'What it was asked'}</summary>
      <div className="mt-1 border-l border-line pl-2">
        <Words text={text} />
      </div>
    </details>
  );
}

/** What the agent said; of very much of it the end, until all is asked for. */
function Said({ text }: { text: string }) {
  const lines = text.split('\n');
  const [whole, setWhole] = useState(false);
  if (whole || lines.length <= MANY_LINES) return <Words text={text} />;
  return (
    <>
      <button type="button" className="text-accent hover:underline" onClick={() => setWhole(true)}>
        Show {lines.length - MANY_LINES} lines before
      </button>
      <Words text={lines.slice(-MANY_LINES).join('\n')} />
    </>
  );
}

function Tools({ entry: { calls } }: { entry: Extract<Entry, { kind: 'tools' }> }) {
  const list = (
    <ul className="space-y-0.5">
      {calls.map(({ id, title, kind, status, paths }) => (
        <li key={id} className="flex gap-2 text-sm">
          <Badge tone={status === 'failed' ? 'bad' : status === 'completed' ? 'neutral' : 'info'}>
            {kind}
          </Badge>
          <bdi className="min-w-0 flex-1 truncate font-mono" title={paths?.map(visible).join('\n')}>
            {visible(title)}
          </bdi>
          {status !== 'completed' && (
            <span className={status === 'failed' ? 'text-bad' : 'text-muted'}>{status}</span>
          )}
        </li>
      ))}
    </ul>
  );
  if (calls.length <= FEW) return list;
  const failed = calls.filter(({ status }) => status === 'failed').length;
  return (
    <details>
      <summary className="text-muted">
        {calls.length} tool calls{failed > 0 && `, ${failed} failed`}:{' '}
        <bdi>{visible(calls.at(-1)!.title)}</bdi>
      </summary>
      <div className="mt-1 pl-2">{list}</div>
    </details>
  );
}

function Output({ entry: { source, text } }: { entry: Extract<Entry, { kind: 'output' }> }) {
  const lines = text.trimEnd().split('\n');
  const [whole, setWhole] = useState(false);
  const shown = whole ? lines : lines.slice(-TAIL_LINES);
  const box = useRef<HTMLPreElement>(null);
  return (
    <figure>
      <figcaption className="text-sm text-muted">
        <bdi>{visible(source)}</bdi>
        {lines.length > TAIL_LINES && (
          <button
            type="button"
            className="ml-2 text-accent hover:underline"
            aria-expanded={whole}
            onClick={() => {
              setWhole(!whole);
              box.current?.focus();
            }}
          >
            {whole ? 'show the end' : `all ${lines.length} lines`}
          </button>
        )}
      </figcaption>
      <pre
        ref={box}
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-md bg-sunken px-2 py-1 font-mono text-sm [tab-size:8]"
      >
        {shown.map((line, index) => (
          <span key={index} className="block min-h-4">
            {spansOf(line).map((span, at) => (
              <span key={at} className={span.className}>
                {span.text}
              </span>
            ))}
          </span>
        ))}
      </pre>
    </figure>
  );
}
