// The pages that whoever is signed in has use of. Used by the bar, the palette, the keys and their list.
import { useMemo } from 'react';
import { useUser } from '../session/session.ts';
import { placesOf, type Place } from './nav.ts';

/** In the order of the bar. */
export function usePlaces(): Place[] {
  const user = useUser();
  return useMemo(() => placesOf(user), [user]);
}
