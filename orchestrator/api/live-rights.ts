// Requests that stay open, as streams of events and logs do, end within a second when whoever asks may not ask any more.
// Used by authentication.ts.
import type { FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Identity } from '../access/tokens.ts';
import { lapsed } from '../people/holding.ts';
import type { ApiContext } from './context.ts';
import { isSafe } from './session-cookie.ts';

const LOOK_MS = 1_000;

/** Looks at open requests of people and services every second, as long as there are any. A change under way is never cut off. */
export function endWithRights(app: FastifyInstance, { db, config }: Pick<ApiContext, 'db' | 'config'>): void {
  const open = new Map<ServerResponse, Identity>();
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    timer = undefined;
    if (open.size === 0) return;
    // While the database is away nothing is known: what is open stays so until it is back.
    const over = await lapsed(db, config.signIn, open.values()).catch(() => new Set<Identity>());
    for (const [response, identity] of open) if (over.has(identity)) response.destroy();
    timer ??= setTimeout(() => void look(), LOOK_MS).unref();
  };
  app.addHook('onRequest', async ({ identity, method }, { raw }) => {
    if (identity === null || identity.run !== null || identity.role === 'worker' || !isSafe(method)) return;
    open.set(raw, identity);
    raw.once('close', () => open.delete(raw));
    timer ??= setTimeout(() => void look(), LOOK_MS).unref();
  });
  app.addHook('onClose', async () => {
    clearTimeout(timer);
    open.clear();
  });
}
