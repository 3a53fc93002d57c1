// Deletes daily indices whose day is over for longer than they are kept, by their names: works where no lifecycle policy does. A chore
// of the daemon.
import type { Search } from './client.ts';
import { ALIAS, dayOf } from './document.ts';

const DAY_MS = 86_400_000;

/** One pass; tells the indices that went. */
export async function removeOldIndices(search: Search, now: Date): Promise<string[]> {
  const last = new Date(now.getTime() - search.settings.retentionDays * DAY_MS).toISOString().slice(0, 10);
  const found = await search.ask(
    async (client, options) =>
      await client.indices.get(
        { index: `${ALIAS}-*`, features: ['aliases'], ignore_unavailable: true },
        options,
      ),
  );
  const old = Object.keys(found).filter((index) => (dayOf(index) ?? last) < last);
  for (const index of old)
    await search.ask(
      async (client, options) => await client.indices.delete({ index, ignore_unavailable: true }, options),
    );
  return old;
}
