// What waits for a restart of the daemon, and the restart: the page stays open and goes on when the daemon is back. Used by the settings
// and the first steps.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Settings } from '../../../protocol/settings.ts';
import { get, send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';

/** Where this page comes from. */
const ADDRESS = new Set(['api.host', 'api.port', 'roles', 'dataDir']);
const MOST_NAMED = 6;
const LOOK_MS = 500;
const PATIENCE_MS = 180_000;

/** Nothing where nothing waits; `part` narrows it to keys that begin so. */
export function Restart({ settings, part = '' }: { settings: Settings; part?: string }) {
  const cache = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const waits = settings.keys.filter(({ path, pending }) => path.startsWith(part) && pending !== null);
  if (waits.length === 0 && settings.failure === null) return null;
  const isMoving = waits.some(({ path }) => ADDRESS.has(path));
  const restart = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      await send('POST', '/restart', { startedAt: settings.startedAt });
      await newStart(settings.startedAt);
      await cache.invalidateQueries();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section aria-label="Restart" className="space-y-2 rounded-md border border-warn/50 p-3">
      {settings.failure !== null && (
        <p>
          The last restart could not take what has changed, and went on with what there was:{' '}
          <bdi className="text-bad">{settings.failure}</bdi>
        </p>
      )}
      {waits.length > 0 && (
        <p className="break-words">
          <bdi className="font-medium">{named(waits.map(({ path }) => path))}</bdi>{' '}
          {waits.length === 1 ? 'waits' : 'wait'} for a restart of the daemon. Runs go on meanwhile.
        </p>
      )}
      {isMoving && (
        <p className="text-warn">The daemon may be at another address then: open the page there.</p>
      )}
      {settings.restart ? (
        <Button look="primary" disabled={busy} onClick={() => void restart()}>
          {busy ? 'Restarting …' : 'Restart the daemon'}
        </Button>
      ) : (
        <p>
          It is several processes: restart each on its machine, as with{' '}
          <code>autocode down; autocode up --detach</code>.
        </p>
      )}
      {problem !== undefined && <Problem error={problem} />}
    </section>
  );
}

function named(paths: string[]): string {
  const rest = paths.length - MOST_NAMED;
  return rest > 0 ? `${paths.slice(0, MOST_NAMED).join(', ')} and ${rest} more` : paths.join(', ');
}

/** Waits until a later start answers. */
async function newStart(startedAt: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    const told = await get<Settings>('/settings').catch((error: unknown) => {
      if (Date.now() > deadline) throw error;
      return undefined; // it is on its way
    });
    if (told !== undefined && told.startedAt !== startedAt) return;
    if (Date.now() > deadline)
      throw new Error('The daemon has not started anew yet. See `autocode status` on its machine.');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
