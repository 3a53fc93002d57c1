// Tickets that another system puts into a queue, as work items: one task each, however often a ticket comes. Pure.
// Used by sqs-message.ts.
import { z } from 'zod';
import { shownName } from './shown-name.ts';
import type { SqsSettings } from './sqs-settings.ts';
import type { WorkItem } from '../work-item.ts';

export const Ticket = z.object({
  type: z.literal('ticket'),
  id: z.union([z.string().trim().min(1).max(200), z.int()]),
  title: z.string().trim().min(1).max(1000),
  body: z.string().max(1_000_000).default(''),
  project: z.string().optional(),
  priority: z.int().min(-100).max(100).optional(),
});

/** The task that a ticket asks for. It may name a project, of those that the source's settings name. */
export function itemOfTicket(ticket: z.infer<typeof Ticket>, { projects }: SqsSettings): WorkItem {
  const { id, title, body, project, priority } = ticket;
  const subject = `ticket|${id}`;
  const known = project === undefined || projects.some((rule) => rule.project === project);
  return {
    kind: 'task',
    key: subject,
    subject,
    actor: null,
    byRight: true,
    title,
    text: body,
    what: `the ticket ${shownName(String(id))}`,
    at: null,
    ...(project !== undefined && known && { project }),
    ...(priority !== undefined && { priority }),
    ...(!known && {
      ignored: `the ticket names the project ${shownName(project!)}, which the source's settings do not`,
    }),
  };
}
