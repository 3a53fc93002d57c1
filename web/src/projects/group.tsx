// A group of fields that belong together, with its name above.
import type { ReactNode } from 'react';
import type { Draft } from './draft.ts';

/** What each group of the edit form gets. */
export interface GroupProps {
  draft: Draft;
  problem: unknown;
  onChange: (draft: Draft) => void;
}

/** The group. */
export function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="space-y-3">
      <legend className="mb-2 w-full border-b border-line pb-1 text-lg font-semibold">{title}</legend>
      {children}
    </fieldset>
  );
}

type TextField = {
  [field in keyof Draft]: Draft[field] extends string ? (string extends Draft[field] ? field : never) : never;
}[keyof Draft];

/** What ties an input to a text of the draft. */
export function bindOf({ draft, onChange }: Pick<GroupProps, 'draft' | 'onChange'>) {
  return (name: TextField) => ({
    value: draft[name],
    onChange: ({ target }: { target: { value: string } }) => onChange({ ...draft, [name]: target.value }),
  });
}
