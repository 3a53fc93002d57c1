// A difference, file by file, side by side or in one column; a line's number opens a comment on it. Used by the page of a change.
import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { TextArea } from '../ui/field.tsx';
import type { LineComment } from './comments.ts';
import type { Token } from './highlight.ts';
import { pairsOf, type DiffFile, type DiffLine, type Hunk } from './patch.ts';

/** Files with more lines are shown when asked for. */
const MANY_LINES = 1_500;

/** Comments that are being written, and the way to change them. */
export interface Commenting {
  comments: readonly LineComment[];
  add(comment: LineComment): void;
  remove(comment: LineComment): void;
}

interface FileProps {
  file: DiffFile;
  split: boolean;
  /** Null for whoever may not say anything. */
  commenting: Commenting | null;
}

/** One file. */
export function FileDiff({ file, split, commenting }: FileProps) {
  const size = file.hunks.reduce((sum, { lines }) => sum + lines.length, 0);
  const [open, setOpen] = useState(size <= MANY_LINES);
  const sides = split && file.status !== 'added' && file.status !== 'deleted';
  const label = visible(file.path);
  return (
    <section
      id={anchorOf(file.path)}
      aria-label={label}
      className="overflow-hidden rounded-md border border-line bg-surface [content-visibility:auto] [contain-intrinsic-size:auto_20rem]"
    >
      <header className="flex flex-wrap items-center gap-2 border-b border-line px-2 py-1">
        <Button look="quiet" aria-expanded={open} aria-label={`Show ${label}`} onClick={() => setOpen(!open)}>
          <span aria-hidden>{open ? '▾' : '▸'}</span>
        </Button>
        <h2 className="min-w-0 flex-1 font-mono text-sm break-all">
          {file.oldPath !== null && (
            <>
              <bdi>{visible(file.oldPath)}</bdi> →{' '}
            </>
          )}
          <bdi>{label}</bdi>
        </h2>
        {file.status !== 'modified' && <Badge tone="info">{file.status}</Badge>}
        {file.mode !== null && <Badge tone="warn">mode {file.mode}</Badge>}
        <span className="text-sm">
          <span className="text-good">+{file.added}</span> <span className="text-bad">−{file.deleted}</span>
        </span>
      </header>
      {open && file.binary && <p className="px-3 py-2 text-muted">A binary file.</p>}
      {open &&
        file.hunks.map((hunk, index) => (
          <HunkDiff key={index} file={file} hunk={hunk} split={sides} commenting={commenting} />
        ))}
    </section>
  );
}

/** The id of a file's section. */
export function anchorOf(path: string): string {
  return `file-${encodeURIComponent(path)}`;
}

type Tokens = ReadonlyMap<DiffLine, Token[]>;

function useTokens(path: string, hunk: Hunk): Tokens {
  const [tokens, setTokens] = useState<Tokens>(new Map());
  useEffect(() => {
    let gone = false;
    const colour = async () => {
      const { highlight } = await import('./highlight.ts');
      const all = new Map<DiffLine, Token[]>();
      for (const side of ['deleted', 'added'] as const) {
        const lines = hunk.lines.filter(({ kind }) => kind === 'same' || kind === side);
        const found = await highlight(path, lines.map(({ text }) => text).join('\n'));
        for (const [index, line] of lines.entries())
          if (found?.[index] !== undefined) all.set(line, found[index]);
        await new Promise((resolve) => setTimeout(resolve)); // others have their turn between
        if (gone) return;
      }
      setTokens(all);
    };
    colour().catch(() => {}); // it stays plain
    return () => {
      gone = true;
    };
  }, [path, hunk]);
  return tokens;
}

function HunkDiff({ file, hunk, split, commenting }: FileProps & { hunk: Hunk }) {
  const tokens = useTokens(file.path, hunk);
  const [at, setAt] = useState<string>();
  const row = (left: DiffLine | null, right: DiffLine | null, index: number) => {
    const cell = (line: DiffLine | null, side: 'old' | 'new') => {
      const key = `${side}-${line?.[side]}`;
      const onComment =
        commenting === null || line === null ? undefined : () => setAt(at === key ? undefined : key);
      return <Side line={line} side={side} tokens={tokens} path={file.path} onComment={onComment} />;
    };
    const lines = [
      left && { side: 'old' as const, line: left },
      right && { side: 'new' as const, line: right },
    ];
    return (
      <Row key={index}>
        {split ? (
          <>
            {cell(left, 'old')}
            {cell(right, 'new')}
          </>
        ) : (
          cell(right ?? left, right === null ? 'old' : 'new')
        )}
        {commenting !== null &&
          lines.map(
            (each) =>
              each !== null && (
                <Comments
                  key={each.side}
                  about={{
                    path: file.path,
                    side: each.side,
                    line: each.line[each.side] ?? 0,
                    quote: each.line.text,
                  }}
                  commenting={commenting}
                  writing={at === `${each.side}-${each.line[each.side]}`}
                  onDone={() => setAt(undefined)}
                />
              ),
          )}
      </Row>
    );
  };
  return (
    <div
      className={`grid overflow-x-auto border-t border-line font-mono text-sm leading-5 ${split ? 'grid-cols-[auto_minmax(0,1fr)_auto_minmax(0,1fr)]' : 'grid-cols-[auto_minmax(0,1fr)]'}`}
    >
      <p className="col-span-full truncate bg-sunken px-2 text-muted">
        {hunkTitle(hunk)} <bdi>{visible(hunk.section)}</bdi>
      </p>
      {split
        ? pairsOf(hunk).map((pair, index) => row(pair.old, pair.new, index))
        : hunk.lines.map((line, index) =>
            line.kind === 'deleted' ? row(line, null, index) : row(null, line, index),
          )}
    </div>
  );
}

function Row({ children }: { children: ReactNode }) {
  return <div className="contents">{children}</div>;
}

function hunkTitle({ lines }: Hunk): string {
  const first = lines.find((line) => line.new !== null)?.new ?? lines[0]?.old ?? 0;
  return `Line ${first}`;
}

const GROUNDS = { same: '', added: 'bg-good/8', deleted: 'bg-bad/8' };
const SIGNS = { same: ' ', added: '+', deleted: '−' };

interface SideProps {
  line: DiffLine | null;
  side: 'old' | 'new';
  tokens: Tokens;
  path: string;
  onComment: (() => void) | undefined;
}

function Side({ line, side, tokens, path, onComment }: SideProps) {
  if (line === null) return <span className="col-span-2 bg-sunken" />;
  const ground = GROUNDS[line.kind];
  const number = line[side];
  return (
    <>
      {onComment === undefined ? (
        <span className={`px-2 text-right text-muted select-none ${ground}`}>{number}</span>
      ) : (
        <button
          type="button"
          onClick={onComment}
          aria-label={`Comment on ${side === 'old' ? 'old ' : ''}line ${number} of ${visible(path)}`}
          className={`flex items-start justify-end px-2 text-muted select-none hover:bg-accent/20 hover:text-ink ${ground}`}
        >
          {number}
        </button>
      )}
      <code
        dir="ltr"
        className={`min-w-0 pr-2 text-[length:inherit] break-all whitespace-pre-wrap [tab-size:4] ${ground}`}
      >
        <span className="text-muted select-none">{SIGNS[line.kind]} </span>
        {line.kind !== 'same' && <span className="sr-only">{line.kind}: </span>}
        {(tokens.get(line) ?? [{ text: line.text, className: '' }]).map(({ text, className }, index) => (
          <span key={index} className={className}>
            {visible(text)}
          </span>
        ))}
      </code>
    </>
  );
}

interface CommentsProps {
  about: Omit<LineComment, 'text'>;
  commenting: Commenting;
  writing: boolean;
  onDone(): void;
}

function Comments({ about, commenting, writing, onDone }: CommentsProps) {
  const here = commenting.comments.filter(
    ({ path, side, line }) => path === about.path && side === about.side && line === about.line,
  );
  if (here.length === 0 && !writing) return null;
  return (
    <div className="col-span-full space-y-2 border-y border-line bg-review/6 px-3 py-2 font-sans text-base">
      {here.map((comment, index) => (
        <p key={index} className="flex items-start gap-2">
          <span className="flex-1 break-words whitespace-pre-wrap">{comment.text}</span>
          <Button look="quiet" onClick={() => commenting.remove(comment)}>
            Remove
          </Button>
        </p>
      ))}
      {writing && (
        <Write
          label={`Comment on line ${about.line}`}
          onAdd={(text) => {
            commenting.add({ ...about, text });
            onDone();
          }}
          onCancel={onDone}
        />
      )}
    </div>
  );
}

function Write({ label, onAdd, onCancel }: { label: string; onAdd(text: string): void; onCancel(): void }) {
  const [text, setText] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() !== '') onAdd(text.trim());
  };
  return (
    <form
      onSubmit={submit}
      className="space-y-2"
      onKeyDown={(event) => {
        if (event.key === 'Escape') onCancel();
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
      }}
    >
      <TextArea
        autoFocus
        rows={3}
        aria-label={label}
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
      <div className="flex gap-2">
        <Button type="submit" disabled={text.trim() === ''}>
          Add the comment
        </Button>
        <Button look="quiet" onClick={onCancel}>
          Leave it
        </Button>
      </div>
    </form>
  );
}
