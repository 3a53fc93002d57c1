// /intake: sources, what they delivered and what became of it; /intake/hooks is public, by the signature of each source.
import { z } from 'zod';
import { ErrorBody } from '../../../protocol/errors.ts';
import { Name } from '../../../protocol/ids.ts';
import {
  Accepted,
  DeliveryState,
  IntakeDelivery,
  IntakeSource,
  SourceInput,
  SourceKinds,
  SourcePatch,
  SourceTest,
  Verdict,
} from '../../../protocol/intake.ts';
import { incidentRules } from '../../incidents/rules.ts';
import { approveItem, rejectItem } from '../../intake/approval.ts';
import { changeSource } from '../../intake/change-source.ts';
import { takeHook } from '../../intake/hooks.ts';
import { describedKinds } from '../../intake/kinds.ts';
import { getDelivery, listDeliveries, replayDelivery } from '../../intake/log.ts';
import { addSource, getSource, listSources, pauseSource, removeSource } from '../../intake/sources.ts';
import { testSource } from '../../intake/test-source.ts';
import { recentSecrets } from '../../secrets/recent.ts';
import { actorOf, ALLOWED } from '../authentication.ts';
import type { ApiContext } from '../context.ts';
import { Id, Limit } from '../parameters.ts';
import { mayInAll } from '../person-access.ts';
import { projectsOf } from '../project-scope.ts';
import type { ApiInstance, Routes } from '../server.ts';
import { taskDefaults } from '../task-defaults.ts';

const BODY_MAX_BYTES = 1024 * 1024;
/** From one address: a forge sends all of its deliveries from a few. */
const HOOKS_A_MINUTE = 30_000;
const tags = ['intake'];
const BySource = z.object({ source: Name });
const ByDelivery = z.object({ delivery: Id });
const ByItem = z.object({ item: Id });

export const intakeRoutes: Routes = (app, context) => {
  app.register(async (hooks) => hookRoute(hooks, context));
  sourceRoutes(app, context);
  logRoutes(app, context);
};

function hookRoute(hooks: ApiInstance, { db, sealer, secrets }: ApiContext): void {
  const recent = recentSecrets(secrets);
  hooks.removeAllContentTypeParsers();
  hooks.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_MAX_BYTES }, (_request, body, done) =>
    done(null, body),
  );
  hooks.post(
    '/intake/hooks/:source',
    {
      config: { access: 'public', rateLimit: { max: HOOKS_A_MINUTE } },
      bodyLimit: BODY_MAX_BYTES,
      schema: {
        tags,
        security: [],
        summary: 'A delivery of a source: answered when it is durable, worked on after',
        params: BySource,
        response: { 202: Accepted, 401: ErrorBody },
      },
    },
    async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const headers = request.headers as Record<string, string | undefined>;
      const taken = await takeHook({ db, sealer, secrets: recent }, request.params.source, {
        headers,
        body,
        now: new Date(),
      });
      return reply.code(202).send(taken);
    },
  );
}

function sourceRoutes(app: ApiInstance, { db, secrets, log, repositories, stopping }: ApiContext): void {
  app.get(
    '/intake/source-kinds',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The kinds of sources, and what one of each is asked for',
        response: { 200: SourceKinds },
      },
    },
    async () => await describedKinds(),
  );
  app.get(
    '/intake/sources',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'List sources', response: { 200: z.array(IntakeSource) } },
    },
    async () => await listSources(db),
  );
  app.post(
    '/intake/sources',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'Add a source', body: SourceInput, response: { 201: IntakeSource } },
    },
    async (request, reply) =>
      reply.code(201).send(await addSource({ db, secrets }, request.body, actorOf(request))),
  );
  app.get(
    '/intake/sources/:source',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Show a source', params: BySource, response: { 200: IntakeSource } },
    },
    async (request) => await getSource(db, request.params.source),
  );
  app.patch(
    '/intake/sources/:source',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Change a source as it was seen; its name and kind stay',
        params: BySource,
        body: SourcePatch,
        response: { 200: IntakeSource },
      },
    },
    async (request) => await changeSource({ db, secrets }, request.params.source, request.body),
  );
  app.delete(
    '/intake/sources/:source',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Remove a source with its secret; the log stays',
        params: BySource,
        response: { 200: IntakeSource },
      },
    },
    async (request) => await removeSource({ db, secrets }, request.params.source),
  );
  for (const [verb, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    app.post(
      `/intake/sources/:source/${verb}`,
      {
        config: { access: 'operator' },
        schema: {
          tags,
          summary: paused ? 'Pause a source: deliveries are kept, and wait' : 'Resume a source',
          params: BySource,
          response: { 200: IntakeSource },
        },
      },
      async (request) => await pauseSource(db, (request.params as z.infer<typeof BySource>).source, paused),
    );
  }
  app.post(
    '/intake/sources/:source/test',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Look whether a source is set up well; starts no work',
        params: BySource,
        response: { 200: SourceTest },
      },
    },
    async (request) =>
      await testSource({ db, secrets, log, forges: repositories.forges }, request.params.source, stopping),
  );
}

function logRoutes(app: ApiInstance, context: ApiContext): void {
  const { db, sealer } = context;
  const incidents = incidentRules(context.config.incidents);
  app.get(
    '/intake/deliveries',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags,
        summary: 'What came and what became of it, newest first',
        querystring: z.object({
          source: Name.optional(),
          state: DeliveryState.optional(),
          verdict: Verdict.optional(),
          task: Id.optional().meta({
            description: 'Those that it was made of, or that said something to it.',
          }),
          before: Id.optional(),
          limit: Limit,
        }),
        response: { 200: z.array(IntakeDelivery) },
      },
    },
    async (request) => await listDeliveries(db, { ...request.query, projects: projectsOf(request) }),
  );
  app.get(
    '/intake/deliveries/:delivery',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Show a delivery', params: ByDelivery, response: { 200: IntakeDelivery } },
    },
    async (request) => await getDelivery(db, request.params.delivery, projectsOf(request)),
  );
  app.post(
    '/intake/deliveries/:delivery/replay',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Have a delivery worked on again: what it led to stays, the rest is decided anew',
        params: ByDelivery,
        response: { 202: IntakeDelivery },
      },
    },
    async (request, reply) => reply.code(202).send(await replayDelivery(db, request.params.delivery)),
  );
  app.post(
    '/intake/items/:item/approve',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Take up what was quarantined',
        params: ByItem,
        response: { 200: IntakeDelivery },
      },
    },
    async (request) => {
      const { actor, ...defaults } = taskDefaults(request, context);
      return await approveItem({ db, sealer, defaults, incidents }, request.params.item, {
        actor,
        projects: projectsOf(request),
        inAll: mayInAll(request, ALLOWED.operator),
      });
    },
  );
  app.post(
    '/intake/items/:item/reject',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Refuse for good what was quarantined',
        params: ByItem,
        response: { 200: IntakeDelivery },
      },
    },
    async (request) =>
      await rejectItem({ db }, request.params.item, {
        actor: actorOf(request),
        projects: projectsOf(request),
      }),
  );
}
