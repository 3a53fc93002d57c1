// The links to all pages, by group. Shown by the bar, and by the menu where the bar has no room for them.
import { Link } from '@tanstack/react-router';
import type { Place } from './nav.ts';
import { usePlaces } from './use-places.ts';

const GROUPS: Place['group'][] = ['Work', 'Appliance', 'People'];

/** The pages that somebody may see; `roomy` for fingers. */
export function Places({ roomy = false }: { roomy?: boolean }) {
  const places = usePlaces();
  return (
    <nav aria-label="Pages" className="space-y-3">
      {GROUPS.map((group) => {
        const ofGroup = places.filter((place) => place.group === group);
        return (
          ofGroup.length > 0 && (
            <section key={group} aria-label={group}>
              <p aria-hidden className="px-2 pb-0.5 text-xs font-medium text-muted">
                {group}
              </p>
              <ul className="space-y-px">
                {ofGroup.map((place) => (
                  <Entry key={place.to} place={place} roomy={roomy} />
                ))}
              </ul>
            </section>
          )
        );
      })}
    </nav>
  );
}

function Entry({ place: { to, label }, roomy }: { place: Place; roomy: boolean }) {
  return (
    <li>
      <Link
        to={to}
        activeOptions={{ exact: to === '/', includeSearch: false }}
        className={`block rounded-md px-2 text-muted hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent/12 aria-[current=page]:font-medium aria-[current=page]:text-accent ${roomy ? 'py-2 text-lg' : 'py-0.5'}`}
      >
        {label}
      </Link>
    </li>
  );
}
