// A box to tick, with its words beside it.
import { useId, type ComponentProps, type ReactNode } from 'react';

/** The label belongs to the box, and so does the hint. */
export function Check({
  label,
  hint,
  ...rest
}: Omit<ComponentProps<'input'>, 'type'> & { label: ReactNode; hint?: string }) {
  const id = useId();
  return (
    <div className="flex gap-2">
      <input
        type="checkbox"
        id={id}
        aria-describedby={hint === undefined ? undefined : `${id}-told`}
        className="mt-1 size-3.5 shrink-0 accent-accent"
        {...rest}
      />
      <div>
        <label htmlFor={id}>{label}</label>
        {hint !== undefined && (
          <p id={`${id}-told`} className="text-sm text-muted">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
