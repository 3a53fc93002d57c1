// The board: every task in the column of its state, kept as it is by events.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import type { Card } from '../../../protocol/board.ts';
import type { Task, TaskPatch } from '../../../protocol/task.ts';
import { send } from '../api/client.ts';
import { useMay } from '../session/session.ts';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast, toastProblem } from '../ui/toasts.tsx';
import { Offer } from '../first-run/offer.tsx';
import { CreateDialog } from '../task-form/create-dialog.tsx';
import { EditDialog } from '../task-form/edit-dialog.tsx';
import { priorityBetween } from './board-data.ts';
import { BulkBar } from './bulk-bar.tsx';
import { Column } from './column.tsx';
import { filterOf, searchOf, type Filter } from './filter.ts';
import { FilterBar } from './filter-bar.tsx';
import { useBoard } from './use-board.ts';

/** The page at `/`. */
export function BoardPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const filter = useMemo(() => filterOf(search), [search]);
  const { data: board, error, more } = useBoard(filter);
  const mayChange = useMay('operator');
  const [marked, setMarked] = useState<ReadonlySet<number>>(new Set());

  const view = (next: Record<string, unknown>) => void navigate({ to: '/', search: next as never });
  const onFilter = (next: Filter) => view(searchOf(next));
  const onMark = useCallback(
    (id: number, on: boolean) =>
      setMarked((old) => new Set(on ? [...old, id] : [...old].filter((each) => each !== id))),
    [],
  );
  const editing = Number(search.edit ?? 0);
  const minutes = board?.priorityMinutes ?? 10;
  const onMove = (card: Card, above: Card | undefined, below: Card | undefined) =>
    void prioritise(card, priorityBetween(card, above, below, minutes));
  const onRaise = (card: Card, by: number) => void prioritise(card, card.priority + by);

  const cards = board?.columns.flatMap((each) => each.cards) ?? [];
  const some = (word: 'source' | 'agent') => [...new Set(cards.map((card) => card[word]))].toSorted();
  const columns = board?.columns.filter(({ column }) => filter.columns?.includes(column) ?? true);
  const none = board?.columns.every(({ count }) => count === 0) ?? false;
  const narrowed = Object.keys(searchOf(filter)).length > 0;
  return (
    <div className="flex h-full flex-col">
      <FilterBar
        filter={filter}
        sources={some('source')}
        agents={some('agent')}
        onFilter={onFilter}
        onView={view}
        onNew={mayChange ? () => view({ ...searchOf(filter), new: true }) : undefined}
      />
      {error && (
        <div className="px-3">
          <Problem error={error} />
        </div>
      )}
      {none && <NoTasks narrowed={narrowed} onClear={() => view({})} />}
      {!none && (
        <div className="flex min-h-0 flex-1 snap-x scroll-px-3 gap-2 overflow-x-auto px-3 pb-3">
          {columns?.map((data) => (
            <Column
              key={data.column}
              data={data}
              marked={marked}
              mayChange={mayChange}
              onMark={onMark}
              onMore={more}
              onMove={onMove}
              onRaise={onRaise}
            />
          ))}
        </div>
      )}
      {search.new !== undefined && mayChange && (
        <CreateDialog project={filter.project} onClose={() => onFilter(filter)} />
      )}
      {editing > 0 && mayChange && <EditDialog id={editing} onClose={() => onFilter(filter)} />}
      {marked.size > 0 && <BulkBar cards={cards} marked={marked} onClear={() => setMarked(new Set())} />}
    </div>
  );
}

/** Gives a card another priority; the event that follows moves it. Whoever was first is told where two change one. */
async function prioritise({ id, priority: was }: Card, priority: number): Promise<void> {
  if (priority === was) return;
  try {
    await send<Task>('PATCH', `/tasks/${id}`, { priority, was: { priority: was } } satisfies TaskPatch);
    toast(`Task ${id} has priority ${priority}.`);
  } catch (error) {
    toastProblem(error);
  }
}

function NoTasks({ narrowed, onClear }: { narrowed: boolean; onClear: () => void }) {
  if (narrowed) {
    return (
      <Empty title="No task passes this filter">
        <Button onClick={onClear}>Show all tasks</Button>
      </Empty>
    );
  }
  return (
    <>
      <Offer />
      <Empty title="No tasks yet">
        <p>
          A task is what is to be done in a project: it is worked on by an agent in a sandbox, verified by the
          project's own checks, and ends as a change to be reviewed.
        </p>
        <p>
          Give one with <em>New task</em>, by <code>autocode task add</code>, or let issues and alarms become
          tasks by <code>autocode intake source add</code>. Without a project yet:{' '}
          <code>autocode project add PATH</code>.
        </p>
      </Empty>
    </>
  );
}
