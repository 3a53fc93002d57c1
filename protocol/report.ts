// The report that a run of the kind `investigate` ends with. Used by the worker, which reads it, and by tasks/ and incidents/.
import { z } from 'zod';
import { reported } from './text.ts';

const section = () => reported().min(1).max(20_000);

export const Report = z
  .object({
    whatHappened: section(),
    evidence: section(),
    suspectedChange: section(),
    proposedAction: section(),
  })
  .meta({ id: 'Report', description: 'What an investigation found, as Markdown.' });
export type Report = z.infer<typeof Report>;

/** The heading of each section in the file that an agent writes. */
export const REPORT_SECTIONS = {
  whatHappened: 'What happened',
  evidence: 'Evidence',
  suspectedChange: 'Suspected change',
  proposedAction: 'Proposed action',
} as const satisfies Record<keyof Report, string>;
