// Lets one function be called with the pool or inside a caller's transaction alike.
import pg from 'pg';
import { transaction, type Database, type Queryable } from './connect.ts';

/** Runs `work` in a transaction of its own when given the pool, else in the one that is open. */
export async function withinTransaction<T>(db: Queryable, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return db instanceof pg.Pool ? await transaction(db as Database, work) : await work(db);
}
