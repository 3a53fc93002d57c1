// The HTTP API: validation, access, errors and documentation in one place; one file a route group.
import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type RawServerDefault } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { listenOn, type Address } from './listen.ts';
import { recordChanges } from './audit.ts';
import { authenticate } from './authentication.ts';
import type { ApiContext } from './context.ts';
import { CLOSE_MS, closeServer, limitBodyTime, refuseConnection } from './connections.ts';
import { handleErrors, MAX_PARAMETER_LENGTH, refuseRequest } from './errors.ts';
import { parseJsonStrictly } from './json-body.ts';
import { openApiDocument } from './openapi.ts';
import { servePage } from './page.ts';
import { boardRoutes } from './routes/board.ts';
import { auditRecordRoutes } from './routes/audit-records.ts';
import { changeRoutes } from './routes/changes.ts';
import { egressRoutes } from './routes/egress.ts';
import { trafficRoutes } from './routes/traffic.ts';
import { egressPolicyRoutes } from './routes/egress-policy.ts';
import { environmentRoutes } from './routes/environments.ts';
import { eventRoutes } from './routes/events.ts';
import { fleetDifferenceRoutes } from './routes/fleet-differences.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { forgeRoutes } from './routes/forges.ts';
import { gitRoutes } from './routes/git.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { intakeRoutes } from './routes/intake.ts';
import { gpuRoutes } from './routes/gpus.ts';
import { localModelRoutes } from './routes/local-models.ts';
import { joiningRoutes } from './routes/joining.ts';
import { logRoutes } from './routes/logs.ts';
import { metricRoutes } from './routes/metrics.ts';
import { moneyRoutes } from './routes/money.ts';
import { memoryRoutes } from './routes/memory.ts';
import { modelPlanRoutes } from './routes/model-plans.ts';
import { modelRoleRoutes } from './routes/model-roles.ts';
import { notificationRuleRoutes } from './routes/notification-rules.ts';
import { notificationWayRoutes } from './routes/notification-ways.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { projectFileRoutes } from './routes/project-files.ts';
import { projectRoutes } from './routes/projects.ts';
import { promptRoutes } from './routes/prompts.ts';
import { runRoutes } from './routes/runs.ts';
import { runnerRoutes } from './routes/runner.ts';
import { scenarioRoutes } from './routes/scenario.ts';
import { schedulingRoutes } from './routes/scheduling.ts';
import { purchaseRoutes } from './routes/purchases.ts';
import { oidcRoutes } from './routes/oidc.ts';
import { ownRoutes } from './routes/own.ts';
import { peopleRoutes } from './routes/people.ts';
import { secretBindingRoutes } from './routes/secret-bindings.ts';
import { secretRoutes } from './routes/secrets.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { settingsRoutes } from './routes/settings.ts';
import { systemRoutes } from './routes/system.ts';
import { steeringRoutes } from './routes/steering.ts';
import { taskRoutes } from './routes/tasks.ts';
import { keyRoutes } from './routes/keys.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { workerRoutes } from './routes/workers.ts';

export type ApiInstance = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
/** Serves what is served here at another address too. */
export type ServeToo = (
  handle: RequestListener,
  refuse: typeof refuseConnection,
) => Promise<{ stop(patienceMs: number): Promise<void> }>;
/** Adds a group's routes to the API. */
export type Routes = (app: ApiInstance, context: ApiContext) => void;

const GROUPS: Routes[] = [
  systemRoutes,
  metricRoutes,
  projectRoutes,
  projectFileRoutes,
  memoryRoutes,
  environmentRoutes,
  forgeRoutes,
  taskRoutes,
  boardRoutes,
  steeringRoutes,
  schedulingRoutes,
  scenarioRoutes,
  runRoutes,
  promptRoutes,
  logRoutes,
  changeRoutes,
  eventRoutes,
  sessionRoutes,
  ownRoutes,
  oidcRoutes,
  peopleRoutes,
  auditRecordRoutes,
  settingsRoutes,
  tokenRoutes,
  keyRoutes,
  localModelRoutes,
  modelPlanRoutes,
  modelRoleRoutes,
  secretRoutes,
  secretBindingRoutes,
  gpuRoutes,
  moneyRoutes,
  purchaseRoutes,
  egressRoutes,
  trafficRoutes,
  egressPolicyRoutes,
  workerRoutes,
  fleetRoutes,
  fleetDifferenceRoutes,
  joiningRoutes,
  runnerRoutes,
  webhookRoutes,
  intakeRoutes,
  incidentRoutes,
  notificationRoutes,
  notificationRuleRoutes,
  notificationWayRoutes,
];

// Fastify loads the compilers that it would use for JSON schemas unless it is told of others.
function noneOfItsOwn(): never {
  throw new TypeError('schemas of routes are of zod');
}

/** Builds the API without listening; tests inject requests into it. */
export async function buildApi(context: ApiContext, version: string): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: context.config.api.bodyLimitBytes,
    trustProxy: context.config.api.trustedProxies.length > 0 && context.config.api.trustedProxies,
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    clientErrorHandler: refuseConnection,
    frameworkErrors: refuseRequest((text) => context.redactor().values(text)),
    schemaController: { compilersFactory: { buildValidator: noneOfItsOwn, buildSerializer: noneOfItsOwn } },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onSend', async (request, _reply, payload) =>
    typeof payload === 'string' && request.routeOptions.config.showsSecret !== true
      ? context.redactor().values(payload)
      : payload,
  );
  parseJsonStrictly(app);
  handleErrors(app, context.log);
  await authenticate(app, context);
  recordChanges(app, context);
  limitBodyTime(app, context.config.api.bodySeconds);
  await app.register(swagger, openApiDocument(version));
  const typed = app.withTypeProvider<ZodTypeProvider>();
  await typed.register(
    async (v1) => GROUPS.forEach((add) => add(v1.withTypeProvider<ZodTypeProvider>(), context)),
    { prefix: '/api/v1' },
  );
  await typed.register(async (git) => gitRoutes(git.withTypeProvider<ZodTypeProvider>(), context));
  app.get('/api/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () => app.swagger());
  await servePage(app);
  await app.ready();
  return app;
}

/** Starts the API; `url` is the address it got. `serveToo` puts it at a second address, over TLS. */
export async function startApi(
  context: ApiContext,
  address: Address,
  version: string,
  serveToo?: ServeToo,
): Promise<{ url: string; port: number; stop(): Promise<void> }> {
  const app = await buildApi(context, version);
  const port = await listenOn('api', address, async (host, number) => {
    await app.listen({ host, port: number });
    return (app.server.address() as { port: number }).port;
  });
  const second = await serveToo?.(
    (request, response) => app.routing(request, response),
    refuseConnection,
  ).catch(async (error: unknown) => {
    await closeServer(app);
    throw error;
  });
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${port}`,
    port,
    async stop() {
      await Promise.all([closeServer(app), second?.stop(CLOSE_MS)]);
    },
  };
}
