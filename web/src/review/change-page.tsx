// A change: its state at the forge, its checks, its difference with comments to the agent, and what becomes of it.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect, useMemo, useState, type FormEvent } from 'react';
import type { Change } from '../../../protocol/change.ts';
import type { Run } from '../../../protocol/run.ts';
import { get, getText, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMay } from '../session/session.ts';
import { Checks } from '../task/facts.tsx';
import { clock } from '../task/format.ts';
import { changeQuery } from '../task/task-data.ts';
import { Words } from '../task/words.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Field, TextArea } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { ChangeActions } from './change-actions.tsx';
import { keepComments, keptComments, messageOf, MOST_TEXT, type LineComment } from './comments.ts';
import { anchorOf, FileDiff, type Commenting } from './diff-view.tsx';
import { parsePatch, type DiffFile } from './patch.ts';
import { obstacleOf, reviewOf, stateOf } from './words.ts';

/** The page at `/changes/$change`. */
export function ChangePage() {
  const { change: id } = useParams({ strict: false }) as { change: string };
  const number = /^\d{1,15}$/.test(id) ? Number(id) : 0;
  const { data: change, error } = useQuery(changeQuery(number));
  if (error !== null && change === undefined) {
    return (
      <div className="p-4">
        <Problem error={error} />
      </div>
    );
  }
  if (change === undefined) return <p className="p-4 text-muted">Asking for the change …</p>;
  return <Shown key={change.id} change={change} />;
}

function Shown({ change }: { change: Change }) {
  const may = useMay('operator', change.project);
  const [comments, setComments] = useState(() => keptComments(change.id));
  useEffect(() => keepComments(change.id, comments), [change.id, comments]);
  const { data: run } = useQuery({
    queryKey: ['run', change.run],
    queryFn: async ({ signal }) => await get<Run>(`/runs/${change.run}`, {}, signal),
  });
  const commenting: Commenting | null =
    may && change.state === 'open'
      ? {
          comments,
          add: (comment) => setComments((all) => [...all, comment]),
          remove: (comment) => setComments((all) => all.filter((each) => each !== comment)),
        }
      : null;
  return (
    <>
      <Header change={change} may={may} />
      <div className="flex flex-col lg:flex-row">
        <div className="min-w-0 flex-1 space-y-3 p-4">
          <Difference change={change} commenting={commenting} />
        </div>
        <aside
          aria-label="About the change"
          className="shrink-0 border-line bg-surface max-lg:border-t lg:w-80 lg:border-l"
        >
          {commenting !== null && (
            <ReviewForm change={change} comments={comments} onSent={() => setComments([])} />
          )}
          {run !== undefined && <Checks run={run} />}
          <details className="px-4 py-3">
            <summary className="font-semibold">Description at the forge</summary>
            <div className="mt-1.5">
              <Words text={change.body} />
            </div>
          </details>
        </aside>
      </div>
    </>
  );
}

function Header({ change, may }: { change: Change; may: boolean }) {
  const { text, tone } = stateOf(change);
  const obstacle = change.state === 'open' ? obstacleOf(change) : null;
  return (
    <header className="border-b border-line bg-surface px-4 py-3">
      <div className="flex flex-wrap items-center gap-2">
        <h1 className="min-w-0 flex-1 text-xl font-semibold break-words">
          <bdi>{visible(change.title)}</bdi>
        </h1>
        {may && change.state === 'open' && <ChangeActions change={change} />}
      </div>
      <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-muted">
        <Badge tone={tone}>{text}</Badge>
        <Link to={`/tasks/${change.task}` as '/'} className="text-accent hover:underline">
          Task {change.task}
        </Link>
        {change.url !== null && /^https?:\/\//.test(change.url) && (
          <a
            href={change.url}
            target="_blank"
            rel="noreferrer noopener"
            className="text-accent hover:underline"
          >
            {change.number === null ? 'At the forge' : `Pull request ${change.number}`}
          </a>
        )}
        <span>
          <bdi>{change.project}</bdi>/<bdi>{change.repository}</bdi>: <code>{visible(change.branch)}</code>{' '}
          into <code>{visible(change.baseBranch)}</code>
        </span>
        {change.onto !== null && (
          <span>
            upon{' '}
            <Link to={`/changes/${change.onto}` as '/'} className="text-accent hover:underline">
              change {change.onto}
            </Link>
          </span>
        )}
        <time dateTime={change.createdAt}>{clock(change.createdAt)}</time>
      </p>
      {change.reviews.length > 0 && (
        <ul aria-label="Reviews" className="mt-1 flex flex-wrap gap-x-3 gap-y-1">
          {change.reviews.map((review) => (
            <li key={review.by} className={review.stale ? 'text-muted' : ''}>
              <bdi>{reviewOf(review)}</bdi>
            </li>
          ))}
        </ul>
      )}
      {obstacle !== null && (
        <p className={`mt-1 ${change.mergeable === 'conflicts' ? 'text-bad' : ''}`}>{obstacle}</p>
      )}
      {change.trouble !== null && (
        <p className="mt-1 text-bad">The forge could not be asked: {visible(change.trouble)}</p>
      )}
    </header>
  );
}

function Difference({ change, commenting }: { change: Change; commenting: Commenting | null }) {
  const [split, setSplit] = useState(() => window.innerWidth >= 1100);
  const { data, error } = useQuery({
    queryKey: ['change', change.id, 'diff', change.headCommit],
    queryFn: async ({ signal }) => await getText(`/changes/${change.id}/diff`, signal),
    staleTime: Infinity, // of these two commits it is always the same
  });
  const files = useMemo(() => (data === undefined ? undefined : parsePatch(data)), [data]);
  if (error !== null) return <Problem error={error} />;
  if (files === undefined) return <p className="text-muted">Reading the difference …</p>;
  return (
    <>
      <Summary files={files} />
      <Button aria-pressed={split} onClick={() => setSplit(!split)}>
        Side by side
      </Button>
      {files.map((file) => (
        <FileDiff key={file.path} file={file} split={split} commenting={commenting} />
      ))}
    </>
  );
}

function Summary({ files }: { files: readonly DiffFile[] }) {
  const [added, deleted] = files.reduce(
    ([plus, minus], file) => [plus + file.added, minus + file.deleted],
    [0, 0],
  );
  return (
    <details open={files.length <= 12}>
      <summary>
        {files.length} {files.length === 1 ? 'file' : 'files'}, <span className="text-good">+{added}</span>{' '}
        <span className="text-bad">−{deleted}</span>
      </summary>
      <ul className="mt-1 font-mono text-sm">
        {files.map((file) => (
          <li key={file.path} className="flex gap-3">
            <a href={`#${anchorOf(file.path)}`} className="min-w-0 truncate text-accent hover:underline">
              <bdi>{visible(file.path)}</bdi>
            </a>
            <span className="text-muted">
              +{file.added} −{file.deleted}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

interface ReviewFormProps {
  change: Change;
  comments: readonly LineComment[];
  onSent(): void;
}

function ReviewForm({ change, comments, onSent }: ReviewFormProps) {
  const [general, setGeneral] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const text = messageOf(change, comments, general);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await send('POST', `/tasks/${change.task}/messages`, { text, reopen: true });
      setGeneral('');
      onSent();
      toast('Sent: the agent goes on from this branch.');
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const nothing = comments.length === 0 && general.trim() === '';
  return (
    <form onSubmit={submit} className="space-y-2 border-b border-line px-4 py-3">
      <Field
        label="Ask for changes"
        hint={`${comments.length === 0 ? 'No comments on lines yet: press a line number.' : `With ${comments.length} on lines.`} Sent as one message; the agent works on in another run.`}
        mistake={text.length > MOST_TEXT ? `Too long by ${text.length - MOST_TEXT} characters.` : undefined}
      >
        <TextArea rows={3} value={general} onChange={({ target }) => setGeneral(target.value)} />
      </Field>
      {problem !== undefined && <Problem error={problem} />}
      <Button type="submit" look="primary" disabled={busy || nothing || text.length > MOST_TEXT}>
        Send to the agent
      </Button>
    </form>
  );
}
