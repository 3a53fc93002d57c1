// The frame of a page that is read from top to bottom: its title with what may be done, and its parts below.
import type { ReactNode } from 'react';

interface FrameProps {
  title: string;
  /** Buttons, or the choice between its views. */
  actions?: ReactNode;
  children: ReactNode;
}

/** The page. */
export function Page({ title, actions, children }: FrameProps) {
  return (
    <div className="mx-auto max-w-7xl space-y-5 p-4">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="text-xl font-semibold">{title}</h1>
        {actions}
      </div>
      {children}
    </div>
  );
}

/** A part of it with a title of its own. */
export function Section({ title, actions, children }: FrameProps) {
  return (
    <section aria-label={title} className="space-y-2">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 className="text-lg font-semibold">{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}
