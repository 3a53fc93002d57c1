// A part of a page that stands in a frame of its own.
import type { ReactNode } from 'react';

interface PartProps {
  title: string;
  /** Buttons at its right. */
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame. */
export function Part({ title, actions, children }: PartProps) {
  return (
    <section aria-label={title} className="rounded-lg border border-line bg-surface">
      <div className="flex min-h-10 items-center justify-between gap-2 border-b border-line px-3 py-1.5">
        <h2 className="font-semibold">{title}</h2>
        {actions}
      </div>
      <div className="px-3 py-2.5">{children}</div>
    </section>
  );
}
