// The command palette: pages, tasks by number or words of their title, and what can be done from anywhere.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useDeferredValue, useState, type KeyboardEvent } from 'react';
import type { Card } from '../../../protocol/board.ts';
import { get } from '../api/client.ts';
import { useMay, useMayInAll } from '../session/session.ts';
import { visible } from '../log/visible.ts';
import { Dialog } from '../ui/dialog.tsx';
import { usePlaces } from './use-places.ts';

interface Choice {
  id: string;
  label: string;
  note: string;
  run: () => void;
}

const MOST_TASKS = 12;

/** Open as long as it is rendered. */
export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [words, setWords] = useState('');
  const [at, setAt] = useState(0);
  const choices = useChoices(words, onHelp);
  const chosen = choices[Math.min(at, choices.length - 1)];
  const run = (choice: Choice | undefined) => {
    if (choice === undefined) return;
    onClose();
    choice.run();
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((at + step + choices.length) % Math.max(choices.length, 1));
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      run(chosen);
    }
  };
  return (
    <Dialog title="Find" onClose={onClose} bare>
      <input
        autoFocus
        role="combobox"
        aria-label="Find a page or a task"
        aria-expanded
        aria-controls="palette-choices"
        aria-activedescendant={chosen && `palette-${chosen.id}`}
        placeholder="A page, or a task by its number or title"
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
        className="w-full border-b border-line bg-transparent px-4 py-3 text-lg outline-none placeholder:text-muted"
      />
      <ul id="palette-choices" role="listbox" aria-label="Found" className="max-h-96 overflow-y-auto p-1.5">
        {choices.map((choice) => (
          <li
            key={choice.id}
            id={`palette-${choice.id}`}
            role="option"
            aria-selected={choice === chosen}
            onClick={() => run(choice)}
            onMouseMove={() => setAt(choices.indexOf(choice))}
            className="flex cursor-pointer gap-3 rounded-md px-2.5 py-1.5 aria-selected:bg-accent/12"
          >
            <bdi className="min-w-0 flex-1 truncate">{choice.label}</bdi>
            <span className="shrink-0 text-muted">{choice.note}</span>
          </li>
        ))}
        {choices.length === 0 && <li className="px-2.5 py-1.5 text-muted">Nothing has these words.</li>}
      </ul>
    </Dialog>
  );
}

function useChoices(words: string, onHelp: () => void): Choice[] {
  const router = useRouter();
  const operator = useMay('operator');
  const admin = useMayInAll('admin');
  const places = usePlaces();
  const text = useDeferredValue(words.trim());
  const { data: cards = [] } = useQuery({
    queryKey: ['tasks', 'found', text],
    queryFn: async ({ signal }) => await get<Card[]>('/cards', { text, limit: MOST_TASKS }, signal),
    placeholderData: keepPreviousData,
    enabled: text !== '',
  });
  const go =
    (to: string, search = {}) =>
    () =>
      void router.navigate({ to, search: search as never });
  const fixed: Choice[] = [
    ...places.map(({ label, to, key }) => ({ id: `place-${key}`, label, note: `g ${key}`, run: go(to) })),
    ...(operator ? [{ id: 'new', label: 'New task', note: 'c', run: go('/', { new: true }) }] : []),
    ...(admin ? [{ id: 'first', label: 'First steps', note: '', run: go('/first-run') }] : []),
    { id: 'help', label: 'Keys', note: '?', run: onHelp },
  ];
  const wanted = fixed.filter(({ label }) => label.toLowerCase().includes(text.toLowerCase()));
  const tasks = text === '' ? [] : cards;
  return [
    ...wanted,
    ...tasks.map(({ id, title, column }) => ({
      id: `task-${id}`,
      label: `#${id} ${visible(title)}`,
      note: column,
      run: go(`/tasks/${id}`),
    })),
  ];
}
