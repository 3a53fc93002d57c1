// Who is signed in, and what they may do. Used by the shell, and by pages that hide what a role may not do.
import { queryOptions, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { PersonRole, SignedIn } from '../../../protocol/person.ts';
import { ApiError, get, keepProof, onSignedOut, send } from '../api/client.ts';
import { may, mayInAll } from './rights.ts';

/** The session of this browser; null when nobody is signed in. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Infinity,
  queryFn: async ({ signal }): Promise<SignedIn | null> => {
    try {
      const session = await get<SignedIn>('/session', {}, signal);
      if (session.csrf !== null) keepProof({ csrf: session.csrf });
      return session;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

/** Takes the session that somebody has just begun. */
export function keepSession(cache: QueryClient, session: SignedIn): void {
  if (session.csrf !== null) keepProof({ csrf: session.csrf });
  cache.setQueryData(sessionQuery.queryKey, session);
}

/** Who is signed in. What pages show stays when a session ends meanwhile, below the sign-in. */
export function useSession() {
  const cache = useQueryClient();
  useEffect(() => onSignedOut(() => cache.setQueryData(sessionQuery.queryKey, null)), [cache]);
  return useQuery(sessionQuery);
}

let last: SignedIn['user'] | undefined;

/** Who is signed in; still who was when the session has ended, so that what they had typed stays below the sign-in. */
export function useUser(): SignedIn['user'] | undefined {
  return (last = useQuery(sessionQuery).data?.user ?? last);
}

/** Asks again who is signed in, as another tab may know better; what one person had on the page is not for another. */
export async function askWhoAgain(cache: QueryClient): Promise<void> {
  const before = last?.name;
  await cache.invalidateQueries({ queryKey: sessionQuery.queryKey });
  const now = cache.getQueryData(sessionQuery.queryKey)?.user.name;
  if (before !== undefined && now !== undefined && now !== before) window.location.reload();
}

/** Whether whoever is signed in may. */
export function useMay(role: PersonRole, project?: string): boolean {
  const user = useUser();
  return user !== undefined && may(user, role, project);
}

/** Whether whoever is signed in may in all projects. */
export function useMayInAll(role: PersonRole): boolean {
  const user = useUser();
  return user !== undefined && mayInAll(user, role);
}

/** Signs in with an API token: it is kept in memory, and gone with the page. */
export async function openWithToken(token: string): Promise<SignedIn> {
  keepProof({ token });
  try {
    return await get<SignedIn>('/session');
  } catch (error) {
    keepProof({});
    throw error;
  }
}

/** Ends the session, and forgets all that was shown. */
export async function signOut(): Promise<void> {
  await send('DELETE', '/session').catch(() => {}); // a token has no session to end
  keepProof({});
  window.location.assign('/');
}
