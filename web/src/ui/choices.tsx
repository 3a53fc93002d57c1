// One of a few views of a page, kept in its address.
import { Link } from '@tanstack/react-router';

interface ChoicesProps {
  label: string;
  to: string;
  chosen: string;
  /** What each is called, and the search of its address. */
  choices: { name: string; search: Record<string, unknown> }[];
}

/** The links between the views. */
export function Choices({ label, to, chosen, choices }: ChoicesProps) {
  return (
    <nav aria-label={label} className="flex flex-wrap gap-1">
      {choices.map(({ name, search }) => (
        <Link
          key={name}
          to={to}
          search={search as never}
          activeOptions={{ exact: true }}
          className="rounded-md px-2 py-0.5 text-muted hover:bg-sunken aria-[current=page]:bg-accent/12 aria-[current=page]:text-accent"
          {...(name === chosen ? { 'aria-current': 'page' as const } : { 'aria-current': false as const })}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
