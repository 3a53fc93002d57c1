// A modal dialog by the browser's own <dialog>: it keeps the focus inside, ends by Escape and gives the focus back.
import { useId, useLayoutEffect, useRef, type ReactNode } from 'react';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  width?: 'normal' | 'wide';
  /** The title is read out, and not seen. */
  bare?: boolean;
}

/** Open as long as it is rendered. */
export function Dialog({ title, onClose, children, width = 'normal', bare = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before it leaves the page: after that nothing would give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current!;
    if (!element.open) element.showModal();
    return () => element.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === dialog.current && onClose()}
      className={`m-auto max-h-[min(46rem,92dvh)] w-[calc(100%-1.5rem)] overflow-y-auto rounded-lg border border-line bg-surface p-0 text-ink shadow-raised ${width === 'wide' ? 'max-w-4xl' : 'max-w-xl'} ${bare ? 'mt-[12dvh]' : ''}`}
    >
      <h2 id={id} className={bare ? 'sr-only' : 'border-b border-line px-4 py-3 text-lg font-semibold'}>
        {title}
      </h2>
      {children}
    </dialog>
  );
}

/** What goes before everything, open dialogs too, and cannot be closed. */
export function OnTop({ children }: { children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current!;
    if (!element.open) element.showModal();
    return () => element.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-label="Sign in"
      onCancel={(event) => event.preventDefault()}
      className="size-full max-h-none max-w-none bg-transparent text-ink"
    >
      {children}
    </dialog>
  );
}
