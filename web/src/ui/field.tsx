// Form fields with their label, hint and mistake; what is inside gets the ids that join them.
import { cloneElement, useId, type ComponentProps, type ReactElement } from 'react';
import { Told } from './told.tsx';

const BOX =
  'w-full min-h-7 rounded-md border border-edge bg-raised px-2 py-1 text-ink placeholder:text-muted disabled:opacity-60 aria-invalid:border-bad';

interface FieldProps {
  label: string;
  hint?: string | undefined;
  mistake?: string | undefined;
  children: ReactElement<{ id?: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }>;
}

/** One field of a form. */
export function Field({ label, hint, mistake, children }: FieldProps) {
  const id = useId();
  const told = mistake ?? hint;
  return (
    <div className="space-y-1">
      <label htmlFor={id} className="block font-medium">
        {label}
      </label>
      {cloneElement(children, {
        id,
        ...(told === undefined ? {} : { 'aria-describedby': `${id}-told` }),
        ...(mistake === undefined ? {} : { 'aria-invalid': true }),
      })}
      {told !== undefined && (
        <p id={`${id}-told`} className={`text-sm ${mistake === undefined ? 'text-muted' : 'text-bad'}`}>
          <Told words={told} />
        </p>
      )}
    </div>
  );
}

/** A line of text. */
export function Input({ className = '', ...rest }: ComponentProps<'input'>) {
  return <input className={`${BOX} ${className}`} {...rest} />;
}

/** Several lines of text. */
export function TextArea({ className = '', ...rest }: ComponentProps<'textarea'>) {
  return <textarea className={`${BOX} ${className}`} {...rest} />;
}

/** One of several. */
export function Select({ className = '', ...rest }: ComponentProps<'select'>) {
  return <select className={`${BOX} ${className}`} {...rest} />;
}
