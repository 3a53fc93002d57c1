// The line above the board: what it is narrowed to, saved views, and the way to a new task.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Project } from '../../../protocol/project.ts';
import { get } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Input, Select } from '../ui/field.tsx';
import { savedViews, saveViews, searchOf, type Filter } from './filter.ts';
import { BOARD_COLUMNS, BOARD_WORDS } from './words.ts';

interface FilterBarProps {
  filter: Filter;
  sources: string[];
  agents: string[];
  onFilter: (filter: Filter) => void;
  onView: (search: Record<string, string>) => void;
  onNew: (() => void) | undefined;
}

/** Narrows the board; everything of it stands in the address. */
export function FilterBar({ filter, sources, agents, onFilter, onView, onNew }: FilterBarProps) {
  const { data: projects = [] } = useQuery({
    queryKey: ['projects'],
    queryFn: async ({ signal }) => await get<Project[]>('/projects', {}, signal),
  });
  const choose = (word: 'project' | 'agent' | 'source', values: string[], all: string) => (
    <Select
      aria-label={all}
      value={filter[word] ?? ''}
      onChange={({ target }) => onFilter({ ...filter, [word]: target.value })}
      className="w-auto! max-w-40"
    >
      <option value="">{all}</option>
      {[...new Set([...values, ...(filter[word] === undefined ? [] : [filter[word]])])].map((value) => (
        <option key={value}>{value}</option>
      ))}
    </Select>
  );
  return (
    <div role="search" aria-label="Board" className="flex flex-wrap items-center gap-2 px-3 pt-2.5 pb-1.5">
      <h1 className="mr-1 text-xl font-semibold">Board</h1>
      <Words text={filter.text ?? ''} onText={(text) => onFilter({ ...filter, text })} />
      {choose(
        'project',
        projects.map(({ name }) => name),
        'All projects',
      )}
      {choose('agent', agents, 'All agents')}
      {choose('source', sources, 'All sources')}
      <Columns filter={filter} onFilter={onFilter} />
      <Views filter={filter} onView={onView} />
      {onNew !== undefined && (
        <Button look="primary" onClick={onNew} aria-keyshortcuts="c" className="ml-auto">
          New task
        </Button>
      )}
    </div>
  );
}

const TYPED_MS = 250;

/** Words to look for: asked for when somebody has stopped typing. */
function Words({ text, onText }: { text: string; onText: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text) return undefined;
    const timer = setTimeout(() => onText(typed), TYPED_MS);
    return () => clearTimeout(timer);
  });
  return (
    <Input
      type="search"
      aria-label="Words of a title, or a number"
      placeholder="Title or number"
      value={typed}
      onChange={({ target }) => setTyped(target.value)}
      className="w-44! max-sm:w-full!"
    />
  );
}

function Columns({ filter, onFilter }: Pick<FilterBarProps, 'filter' | 'onFilter'>) {
  const shown = filter.columns ?? BOARD_COLUMNS;
  return (
    <details className="relative">
      <summary className="list-none rounded-md border border-line bg-raised px-2.5 py-1 leading-5 hover:border-edge">
        Columns{filter.columns && ` ${shown.length}/${BOARD_COLUMNS.length}`}
      </summary>
      <fieldset className="absolute z-20 mt-1 space-y-1 rounded-md border border-line bg-raised p-3 shadow-raised">
        <legend className="sr-only">Columns that are shown</legend>
        {BOARD_COLUMNS.map((column) => (
          <label key={column} className="flex items-center gap-2 whitespace-nowrap">
            <input
              type="checkbox"
              className="accent-accent"
              checked={shown.includes(column)}
              onChange={({ target }) => {
                const columns = BOARD_COLUMNS.filter((each) =>
                  each === column ? target.checked : shown.includes(each),
                );
                const { columns: _, ...others } = filter;
                const all = columns.length === 0 || columns.length === BOARD_COLUMNS.length;
                onFilter(all ? others : { ...filter, columns });
              }}
            />
            {BOARD_WORDS[column].title}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function Views({ filter, onView }: Pick<FilterBarProps, 'filter' | 'onView'>) {
  const [views, setViews] = useState(savedViews);
  const keep = (next: typeof views) => {
    saveViews(next);
    setViews(next);
  };
  const now = searchOf(filter);
  const name = Object.keys(views).find((each) => JSON.stringify(views[each]) === JSON.stringify(now));
  const narrowed = Object.keys(now).length > 0;
  return (
    <>
      {Object.keys(views).length > 0 && (
        <Select
          aria-label="Saved views"
          value={name ?? ''}
          onChange={({ target }) => onView(views[target.value] ?? {})}
          className="w-auto! max-w-40"
        >
          <option value="">Views</option>
          {Object.keys(views).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </Select>
      )}
      {name !== undefined && (
        <Button
          look="quiet"
          onClick={() => {
            const { [name]: _, ...others } = views;
            keep(others);
          }}
        >
          Forget view
        </Button>
      )}
      {narrowed && name === undefined && <SaveView onSave={(given) => keep({ ...views, [given]: now })} />}
      {narrowed && (
        <Button look="quiet" onClick={() => onView({})}>
          Clear
        </Button>
      )}
    </>
  );
}

function SaveView({ onSave }: { onSave: (name: string) => void }) {
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <Button look="quiet" onClick={() => setOpen(true)}>
        Save view
      </Button>
    );
  }
  return (
    <form
      className="flex gap-1"
      onSubmit={(event) => {
        event.preventDefault();
        const name = (new FormData(event.currentTarget).get('name') as string).trim();
        if (name !== '') onSave(name);
        setOpen(false);
      }}
    >
      <Input
        name="name"
        aria-label="Name of the view"
        placeholder="Name"
        autoFocus
        maxLength={40}
        className="w-28!"
      />
      <Button type="submit">Save</Button>
    </form>
  );
}
