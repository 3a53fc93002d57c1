// The small card in the middle of the window that stands before the page: for signing in, and for a first password.
import type { ReactNode } from 'react';

/** A card over whatever is below. */
export function SignInCard({ told, children }: { told?: string | undefined; children: ReactNode }) {
  return (
    <main className="fixed inset-0 z-50 grid place-items-center overflow-auto bg-canvas/90 p-4">
      <div className="w-full max-w-sm space-y-4 rounded-lg border border-line bg-surface p-6 shadow-raised">
        <div className="flex items-center gap-3">
          <img src="/icon.svg" alt="" className="size-8" />
          <div>
            <h1 className="text-xl font-semibold">Autocode</h1>
            {told !== undefined && <p className="text-muted">{told}</p>}
          </div>
        </div>
        {children}
      </div>
    </main>
  );
}
