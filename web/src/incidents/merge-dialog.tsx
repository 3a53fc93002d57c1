// Makes incidents that were marked one: which of them remains, and why they are the same.
import { useState } from 'react';
import type { Incident } from '../../../protocol/incident.ts';
import { visible } from '../log/visible.ts';
import { Field, Select } from '../ui/field.tsx';
import { WordDialog } from './word-dialog.tsx';

/** What goes on does not become part of what is over. */
export function mayRemain(marked: Incident[]): Incident[] {
  const goOn = marked.filter(({ state }) => state !== 'resolved');
  return (goOn.length === 0 ? marked : goOn).toSorted((one, other) => one.id - other.id);
}

/** The dialog; there are two at least, none of them merged. */
export function MergeDialog({ marked, onClose }: { marked: Incident[]; onClose: () => void }) {
  const remaining = mayRemain(marked);
  const [into, setInto] = useState(remaining[0]!.id);
  const from = marked.map(({ id }) => id).filter((id) => id !== into);
  return (
    <WordDialog
      verb="merge"
      incident={into}
      more={{ from }}
      title={`Merge ${marked.length} incidents?`}
      what="One of them has the alarms, accounts and tasks of all from then on, and one investigation in each project; the others point to it. There is no way back."
      button="Merge"
      done={`Merged into incident ${into}.`}
      onClose={onClose}
    >
      <Field label="Which remains">
        <Select value={into} onChange={({ target }) => setInto(Number(target.value))}>
          {remaining.map(({ id, title }) => (
            <option key={id} value={id}>
              {`Incident ${id}: ${visible(title)}`}
            </option>
          ))}
        </Select>
      </Field>
    </WordDialog>
  );
}
