// Buttons: one primary at most on a page, normal ones, and quiet ones inside of rows and bars.
import type { ComponentProps } from 'react';

const LOOKS = {
  primary: 'bg-accent text-on-accent border-accent hover:brightness-110 font-medium',
  normal: 'bg-raised text-ink border-line hover:border-edge',
  quiet: 'bg-transparent text-muted border-transparent hover:bg-sunken hover:text-ink',
  danger: 'bg-raised text-bad border-line hover:border-bad',
};

/** A button; not a submit one unless it says so. */
export function Button({
  look = 'normal',
  className = '',
  type = 'button',
  ...rest
}: ComponentProps<'button'> & { look?: keyof typeof LOOKS }) {
  return (
    <button
      type={type}
      className={`inline-flex min-h-7 items-center gap-1.5 rounded-md border px-2.5 py-0.5 whitespace-nowrap disabled:cursor-not-allowed disabled:opacity-50 ${LOOKS[look]} ${className}`}
      {...rest}
    />
  );
}
