// The list of keys.
import { useMay } from '../session/session.ts';
import { Dialog } from '../ui/dialog.tsx';
import { usePlaces } from './use-places.ts';

const KEYS: [keys: string, what: string][] = [
  ['Ctrl K', 'Find a page or a task'],
  ['?', 'This list'],
  ['Tab, Enter, Space', 'Walk through what can be used, use it, mark it'],
  ['Esc', 'Close'],
];

const GIVING: typeof KEYS = [
  ['c', 'New task'],
  ['[ and ]', 'On a queued task: lower, raise its priority'],
];

/** Shows the keys that work everywhere. */
export function Help({ onClose }: { onClose: () => void }) {
  const operator = useMay('operator');
  const jumps = usePlaces().map(({ label, key }): [string, string] => [`g ${key}`, label]);
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5 p-4">
        {[...KEYS, ...(operator ? GIVING : []), ...jumps].map(([keys, what]) => (
          <div key={keys} className="contents">
            <dt>
              <kbd className="rounded-sm border border-line bg-sunken px-1.5">{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
