// Search in a log, done by the server: the last matches first, and on from there as long as somebody wants.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import type { LogMatches } from '../../../protocol/log.ts';
import { get } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Input } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { logPath, type LogName } from './follow.ts';
import { visible } from './visible.ts';

const MATCHES = 100;
/** So many matches are looked for by themselves; more when asked to. */
const ENOUGH = 50;

interface SearchProps {
  log: LogName;
  /** How long the log was when it was opened here: what is searched, and told. */
  bytes: number;
  text: string;
  onText(text: string): void;
  onLine(line: number): void;
}

/** The field and what was found. */
export function LogSearch({ log, bytes, text, onText, onLine }: SearchProps) {
  const [typed, setTyped] = useState(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onText(typed);
  };
  return (
    <search className="flex min-h-0 flex-col">
      <form onSubmit={submit} className="flex gap-1">
        <Input
          type="search"
          aria-label="Search the log"
          placeholder="Search the log ( / )"
          value={typed}
          maxLength={200}
          onChange={({ target }) => setTyped(target.value)}
          data-log-search
        />
        <Button type="submit">Search</Button>
      </form>
      {text !== '' && <Found key={text} log={log} bytes={bytes} text={text} onLine={onLine} />}
    </search>
  );
}

function Found({ log, bytes, text, onLine }: Omit<SearchProps, 'onText'>) {
  const { data, error, hasNextPage, isFetching, fetchNextPage } = useInfiniteQuery({
    queryKey: ['run-log', log.run, log.stream, 'matches', text],
    queryFn: async ({ pageParam, signal }) =>
      await get<LogMatches>(
        `${logPath(log)}/matches`,
        { text, limit: MATCHES, before: pageParam ?? undefined },
        signal,
      ),
    initialPageParam: null as number | null,
    getNextPageParam: ({ next }) => next,
    staleTime: Infinity,
    gcTime: 0,
  });
  const pages = data?.pages ?? [];
  const matches = pages.flatMap((page) => page.matches);
  const searched = pages.reduce((sum, page) => sum + page.searched, 0);
  const going = hasNextPage && matches.length < ENOUGH;
  useEffect(() => {
    if (going && !isFetching && error === null) void fetchNextPage();
  }, [going, isFetching, error, fetchNextPage]);
  return (
    <div className="mt-1 flex max-h-56 min-h-0 flex-col rounded-md border border-line bg-raised">
      {error !== null && <Problem error={error} />}
      <p role="status" className="border-b border-line px-2 py-1 text-sm text-muted">
        {matches.length === 0 && !isFetching && !going
          ? 'Nothing found'
          : matches.length === 1
            ? '1 line'
            : `${matches.length} lines`}
        {hasNextPage && bytes > 0 && `, ${Math.min(100, Math.round((100 * searched) / bytes))} % searched`}
        {hasNextPage && !going && (
          <Button look="quiet" className="ml-2" disabled={isFetching} onClick={() => void fetchNextPage()}>
            Search on
          </Button>
        )}
      </p>
      {matches.length > 0 && (
        <ol className="overflow-y-auto" tabIndex={0} aria-label="Lines found">
          {matches.map(({ line, text: excerpt }) => (
            <li key={line}>
              <button
                type="button"
                onClick={() => onLine(line)}
                className="flex w-full gap-3 overflow-hidden px-2 py-0.5 text-left font-mono text-sm whitespace-pre hover:bg-sunken"
              >
                <span className="text-muted">{line}</span>
                <Marked text={visible(excerpt)} wanted={text} />
              </button>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function Marked({ text, wanted }: { text: string; wanted: string }) {
  const at = text.toLowerCase().indexOf(wanted.toLowerCase());
  if (at === -1) return <span>{text}</span>;
  const end = at + wanted.length;
  return (
    <span>
      {text.slice(0, at)}
      <mark className="bg-warn/25 text-ink">{text.slice(at, end)}</mark>
      {text.slice(end)}
    </span>
  );
}
