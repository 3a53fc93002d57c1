// What `autocode status` and GET /api/v1/status tell.
import { z } from 'zod';
import { Timestamp } from './ids.ts';
import { Worker } from './worker.ts';

export const PartHealth = z
  .object({ name: z.string(), state: z.enum(['ok', 'degraded', 'down', 'off']), detail: z.string() })
  .meta({ id: 'PartHealth' });
export type PartHealth = z.infer<typeof PartHealth>;

export const Status = z
  .object({
    version: z.string(),
    installation: z.uuid(),
    startedAt: Timestamp,
    roles: z.array(z.string()),
    pid: z.number().int(),
    apiUrl: z.string(),
    gatewayUrl: z.string().nullable(),
    dataDir: z.string(),
    currency: z.string().default('USD').meta({ description: 'Of the ledger.' }),
    parts: z.array(PartHealth),
    tasks: z.record(z.string(), z.number().int()).meta({ description: 'Count by state.' }),
    runs: z.record(z.string(), z.number().int()).meta({ description: 'Count of live runs by state.' }),
    workers: z.array(Worker),
    disk: z.object({ freeBytes: z.number(), totalBytes: z.number() }),
    memoryBytes: z.number(),
  })
  .meta({ id: 'Status' });
export type Status = z.infer<typeof Status>;
