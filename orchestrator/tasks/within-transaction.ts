// See orchestrator/db/within-transaction.ts.
export { withinTransaction } from '../db/within-transaction.ts';
