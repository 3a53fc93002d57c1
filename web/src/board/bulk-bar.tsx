// What can be done with the cards that are marked. Each is done by itself: one that cannot be does not hold up the others.
import { useState } from 'react';
import type { Card } from '../../../protocol/board.ts';
import { send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { toast } from '../ui/toasts.tsx';

const AT_ONCE = 4;
const OPEN = ['pending', 'queued', 'running'];
const DEAD = ['failed', 'cancelled'];

interface Action {
  label: string;
  done: string;
  fits: (card: Card) => boolean;
  run: (card: Card) => Promise<unknown>;
}

const prioritise = (card: Card, by: number) => {
  const was = { priority: card.priority };
  return send('PATCH', `/tasks/${card.id}`, { priority: card.priority + by, was });
};
const ACTIONS: Action[] = [
  {
    label: 'Raise',
    done: 'raised',
    fits: ({ state }) => OPEN.includes(state),
    run: (card) => prioritise(card, 1),
  },
  {
    label: 'Lower',
    done: 'lowered',
    fits: ({ state }) => OPEN.includes(state),
    run: (card) => prioritise(card, -1),
  },
  {
    label: 'Retry',
    done: 'given another run',
    fits: ({ state }) => DEAD.includes(state),
    run: ({ id }) => send('POST', `/tasks/${id}/retry`),
  },
  {
    label: 'Cancel',
    done: 'cancelled',
    fits: ({ state }) => OPEN.includes(state),
    run: ({ id }) => send('POST', `/tasks/${id}/cancel`),
  },
];

interface BulkBarProps {
  cards: Card[];
  marked: ReadonlySet<number>;
  onClear: () => void;
}

/** Shown as long as something is marked. */
export function BulkBar({ cards, marked, onClear }: BulkBarProps) {
  const [busy, setBusy] = useState(false);
  const chosen = cards.filter(({ id }) => marked.has(id));
  const run = async (action: Action) => {
    const fitting = chosen.filter(action.fits);
    setBusy(true);
    const errors = await eachOf(fitting, action.run);
    setBusy(false);
    const done = fitting.length - errors.length;
    if (done > 0) toast(`${done === 1 ? 'One task was' : `${done} tasks were`} ${action.done}.`);
    if (errors.length > 0) toast(`${errors.length} could not be: ${errors[0]!.message}`, true);
    onClear();
  };
  return (
    <div
      role="toolbar"
      aria-label="Marked tasks"
      className="flex flex-wrap items-center gap-2 border-t border-line bg-surface px-3 py-2"
    >
      <p className="mr-2">{marked.size} marked</p>
      {ACTIONS.map((action) => {
        const count = chosen.filter(action.fits).length;
        return (
          <Button
            key={action.label}
            look={action.label === 'Cancel' ? 'danger' : 'normal'}
            disabled={busy || count === 0}
            onClick={() => run(action)}
          >
            {action.label} {count > 0 && count < marked.size && count}
          </Button>
        );
      })}
      <Button look="quiet" onClick={onClear}>
        Unmark all
      </Button>
    </div>
  );
}

/** Runs for each card, a few at once; gives what went wrong. */
async function eachOf(cards: Card[], run: (card: Card) => Promise<unknown>): Promise<Error[]> {
  const errors: Error[] = [];
  const left = [...cards];
  const work = async () => {
    for (let card = left.shift(); card !== undefined; card = left.shift()) {
      await run(card).catch((error: Error) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return errors;
}
