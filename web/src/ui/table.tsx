// Tables that scroll sideways by themselves where it is narrow, by keys too.
import type { ComponentProps, ReactNode } from 'react';

/** A table; `children` are its rows. */
export function Table({ label, heads, children }: { label: string; heads: string[]; children: ReactNode }) {
  return (
    <div
      className="overflow-x-auto rounded-lg border border-line bg-surface"
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table className="w-full text-left">
        <thead className="text-sm text-muted">
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col" className="px-3 py-1.5 font-medium whitespace-nowrap">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-t border-line align-top">{children}</tbody>
      </table>
    </div>
  );
}

/** A cell. */
export function Cell({ className = '', ...rest }: ComponentProps<'td'>) {
  return <td className={`px-3 py-1.5 ${className}`} {...rest} />;
}

/** The cell that names its row. */
export function Head({ className = '', ...rest }: ComponentProps<'th'>) {
  return <th scope="row" className={`px-3 py-1.5 font-medium ${className}`} {...rest} />;
}
