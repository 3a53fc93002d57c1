// Configuration of how much may go out (`egress.limits`) and of the cache of downloads (`egress.cache`). Part of egress-settings.ts; both
// are handed to the proxy by orchestrator/egress/mitmdump.ts.
import { z } from 'zod';

const limit = (of: string) => z.number().positive().optional().describe(of);

const Limits = z.strictObject({
  requestsPerSecond: limit('Requests a second; as many may come at once.'),
  bytesPerHour: limit('Bytes an hour, in and out together.'),
  bytesPerDay: limit('Bytes a day, in and out together.'),
});

export const EgressLimits = z
  .strictObject({
    worker: Limits.optional().describe('Of each worker.'),
    run: Limits.optional().describe('Of each run.'),
    host: Limits.optional().describe('To each host, of all together.'),
  })
  .describe('How much may go out; what is over a limit gets 429.');

const HOST = /^[a-z0-9.-]+(:[0-9]{1,5})?$/;

export const EgressCache = z
  .strictObject({
    maxBytes: z
      .int()
      .min(1024 * 1024)
      .describe('Most that it may take; what was not used for longest goes first.'),
    mirrors: z
      .array(z.string().regex(HOST, { error: 'use a host in small letters, or host:port' }))
      .default([])
      .describe('Registries beside the public ones whose published versions never change.'),
  })
  .describe('Downloads that never change are kept: archives of packages.');
