// What stands where there is nothing yet: what it would be, and how to make the first one.
import type { ReactNode } from 'react';

/** An empty place that teaches. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="mx-auto max-w-md px-4 py-10 text-center">
      <p className="text-lg font-semibold">{title}</p>
      {children !== undefined && <div className="mt-2 space-y-2 text-muted">{children}</div>}
    </div>
  );
}
