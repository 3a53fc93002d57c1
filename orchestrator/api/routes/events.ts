// /events: the outbox, as a page or as a stream that loses nothing.
import { z } from 'zod';
import { Event, EVENT_KINDS, EventId } from '../../../protocol/event.ts';
import { RunId } from '../../../protocol/ids.ts';
import { parseCursor } from '../../events/cursor.ts';
import { followEvents, latestCursor, readEvents } from '../../events/outbox.ts';
import { Id, Limit } from '../parameters.ts';
import { frameText, sendEventStream, wantsEventStream } from '../event-stream.ts';
import { projectsOf } from '../project-scope.ts';
import type { Routes } from '../server.ts';

const Query = z.object({
  project: Id.optional(),
  task: Id.optional(),
  run: RunId.optional(),
  kind: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(EVENT_KINDS)))
    .optional()
    .meta({ description: 'Kinds, separated by commas.' }),
  after: EventId.or(z.literal('latest')).optional().meta({
    description:
      'Cursor; a Last-Event-ID header goes before it. `latest`: what happens from now on; a stream then begins with an event `latest`, whose id is where it begins.',
  }),
  limit: Limit,
});

// Many follow at once, and are told the same: it is written once.
const texts = new WeakMap<Event, string>();

function textOf(event: Event): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const text = frameText({ id: event.id, event: event.kind, data: JSON.stringify(event) });
  texts.set(event, text);
  return text;
}

export const eventRoutes: Routes = (app, context) => {
  app.get(
    '/events',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags: ['events'],
        summary: 'What happened, oldest first',
        description:
          'With `Accept: text/event-stream` a stream that goes on after Last-Event-ID (from the beginning without one); otherwise one page.',
        querystring: Query,
        response: {
          200: {
            content: {
              'application/json': { schema: z.array(Event) },
              'text/event-stream': { schema: z.string() },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { project, task, run, kind: kinds, limit } = request.query;
      const filter = { project, projects: projectsOf(request), task, run, kinds };
      const resume = EventId.safeParse(request.headers['last-event-id']);
      const asked = resume.success ? resume.data : (request.query.after ?? null);
      const after = asked === 'latest' ? await latestCursor(context.db) : asked;
      if (after !== null) parseCursor(after); // refused before a stream has begun
      if (!wantsEventStream(request)) return await readEvents(context.db, { after, limit, filter });
      return await sendEventStream(context, request, reply, async function* (signal) {
        if (asked === 'latest' && after !== null) yield frameText({ id: after, event: 'latest', data: '{}' });
        for await (const came of followEvents(context.db, { after, filter, signal }))
          yield came.map(textOf).join('');
      });
    },
  );
};
