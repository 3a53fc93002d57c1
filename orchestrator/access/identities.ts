// Who presents a token, for the API: as tokens.ts says, but believed for a second where it is a run's.
// A run sends its log many times a second; what it may do is decided by its fence, which every write is checked against.
import type { Queryable } from '../db/connect.ts';
import { hashOf, verifyToken, type Identity } from './tokens.ts';

const KEPT_MS = 1_000;
const KEPT_AT_MOST = 10_000;

/** Makes the check; tokens of people, services and workers are looked up each time, so that a revoked one is dead at once. */
export function identities(db: Queryable): (token: string) => Promise<Identity | null> {
  const kept = new Map<string, { until: number; identity: Identity }>();
  return async (token) => {
    if (!token.startsWith('ac_run_')) return await verifyToken(db, token);
    const key = hashOf(token).toString('base64');
    const known = kept.get(key);
    if (known !== undefined && known.until > performance.now()) return known.identity;
    const identity = await verifyToken(db, token);
    if (kept.size >= KEPT_AT_MOST) kept.clear();
    if (identity === null) kept.delete(key);
    else kept.set(key, { until: performance.now() + KEPT_MS, identity });
    return identity;
  };
}
