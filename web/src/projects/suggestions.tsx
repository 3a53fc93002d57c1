// Repositories of the forges that are connected, offered while an address is typed.
import { useQueries, useQuery } from '@tanstack/react-query';
import type { ImportableRepository } from '../../../protocol/forge.ts';
import { get } from '../api/client.ts';
import { forgesQuery } from './data.ts';

const KEPT_MS = 5 * 60_000;

/** The list of an input with this id. A forge that does not answer offers nothing. */
export function Suggestions({ id }: { id: string }) {
  const { data: forges = [] } = useQuery(forgesQuery);
  const found = useQueries({
    queries: forges.map(({ name }) => ({
      queryKey: ['forges', name, 'repositories'],
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        await get<ImportableRepository[]>(`/forges/${name}/repositories`, {}, signal),
      staleTime: KEPT_MS,
      retry: false,
    })),
  });
  const free = found
    .flatMap(({ data = [] }) => data)
    .filter((each) => !each.archived && each.project === null);
  return (
    <datalist id={id}>
      {free.map(({ cloneUrl, path }) => (
        <option key={cloneUrl} value={cloneUrl}>
          {path}
        </option>
      ))}
    </datalist>
  );
}
