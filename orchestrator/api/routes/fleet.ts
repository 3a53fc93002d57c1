// /fleet: workers that Nomad places. Deployments of their jobs, the nodes, and the allocations that are ours.
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import {
  DeploymentRequest,
  FleetAllocation,
  FleetAllocationDetails,
  FleetDeployment,
  FleetJob,
  FleetNode,
  FleetPlan,
  Rollout,
} from '../../../protocol/fleet.ts';
import type { Node } from '../../nomad/answers.ts';
import type { DeployParts } from '../../nomad/deploy.ts';
import { number, Switch } from '../parameters.ts';
import type { ApiContext } from '../context.ts';
import type { Routes } from '../server.ts';

const tags = ['fleet'];
/** As Nomad makes them: of no version of UUIDs. */
const Id = z.guid();
const TASK = 'claimer';

export const fleetRoutes: Routes = (app, context) => {
  const fleet = () => fleetOf(context);
  app.post(
    '/fleet/plans',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'What a deployment would change; changes nothing',
        body: DeploymentRequest,
        response: { 200: FleetPlan },
      },
    },
    async (request) => {
      const { planDeployment } = await import('../../nomad/deploy.ts');
      return await planDeployment(await deployParts(context), request.body);
    },
  );
  app.get(
    '/fleet/deployments',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The jobs of workers, and how far each is; none when Nomad is not configured',
        response: { 200: z.array(FleetJob) },
      },
    },
    async () => {
      if (context.fleet === undefined) return [];
      const { deployedJobs } = await import('../../nomad/deployed.ts');
      return await deployedJobs(context.fleet.nomad, context.fleet.settings);
    },
  );
  app.post(
    '/fleet/deployments',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Deploy workers; followed under /fleet/deployments/{evaluation}',
        body: DeploymentRequest,
        response: { 202: FleetDeployment },
      },
    },
    async (request, reply) => {
      const { deploy } = await import('../../nomad/deploy.ts');
      return reply.code(202).send(await deploy(await deployParts(context), request.body));
    },
  );
  app.get(
    '/fleet/deployments/:evaluation',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'How far it is',
        params: z.object({ evaluation: Id }),
        response: { 200: Rollout },
      },
    },
    async (request) => {
      const { rolloutOf } = await import('../../nomad/rollout.ts');
      return await rolloutOf(fleet().nomad, request.params.evaluation);
    },
  );
  app.get(
    '/fleet/nodes',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The nodes of the cluster; none when Nomad is not configured',
        response: { 200: z.array(FleetNode) },
      },
    },
    async () => (context.fleet === undefined ? [] : (await context.fleet.nomad.nodes()).map(shownNode)),
  );
  app.put(
    '/fleet/nodes/:node/drain',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Move its allocations away, and place none there',
        params: z.object({ node: Id }),
        body: z.strictObject({ deadlineSeconds: z.int().min(1).max(604_800).default(900) }),
        response: { 200: FleetNode },
      },
    },
    async (request) => {
      const { node } = request.params;
      await fleet().nomad.drainNode(node, request.body);
      return await nodeNow(context, node);
    },
  );
  app.delete(
    '/fleet/nodes/:node/drain',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Place allocations there again',
        params: z.object({ node: Id }),
        response: { 200: FleetNode },
      },
    },
    async (request) => {
      const { node } = request.params;
      await fleet().nomad.drainNode(node, null);
      return await nodeNow(context, node);
    },
  );
  app.get(
    '/fleet/allocations',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Workers in Nomad; none when it is not configured',
        response: { 200: z.array(FleetAllocation) },
      },
    },
    async () => {
      if (context.fleet === undefined) return [];
      const { nomad, settings } = context.fleet;
      const { isOurs, shownAllocation } = await import('../../nomad/rollout.ts');
      return (await nomad.allocations()).filter((each) => isOurs(settings, each)).map(shownAllocation);
    },
  );
  app.get(
    '/fleet/allocations/:allocation',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One of them, with what happened to it',
        params: z.object({ allocation: Id }),
        response: { 200: FleetAllocationDetails },
      },
    },
    async (request) => {
      const { allocationDetails } = await import('../../nomad/deployed.ts');
      return await allocationDetails(fleet().nomad, await ownAllocation(context, request.params.allocation));
    },
  );
  app.delete(
    '/fleet/allocations/:allocation',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Stop it; its runs go on, and Nomad places another where the job is that of the workers',
        params: z.object({ allocation: Id }),
        response: { 200: FleetAllocation },
      },
    },
    async (request) => {
      const { shownAllocation } = await import('../../nomad/rollout.ts');
      const { id, job } = await ownAllocation(context, request.params.allocation);
      // Of one that was dispatched Nomad would place another: its job is for it alone.
      if (job === fleet().settings.job) await fleet().nomad.stopAllocation(id);
      else await fleet().nomad.stopJob(job);
      return shownAllocation(await fleet().nomad.allocation(id));
    },
  );
  app.get(
    '/fleet/allocations/:allocation/logs',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'What its claimer has written',
        params: z.object({ allocation: Id }),
        querystring: z.object({
          stream: z.enum(['stdout', 'stderr']).default('stdout'),
          follow: Switch,
          tailBytes: number(z.int().min(1)).optional(),
        }),
        response: { 200: { content: { 'application/octet-stream': { schema: z.string() } } } },
      },
    },
    async (request, reply) => {
      const { id } = await ownAllocation(context, request.params.allocation);
      const { stream, follow, tailBytes } = request.query;
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, context.stopping]);
      const tail = tailBytes === undefined ? {} : { tailBytes };
      const pieces = fleet().nomad.logs(id, { task: TASK, stream, follow, signal, ...tail });
      const first = await pieces[Symbol.asyncIterator]().next(); // a refusal comes before anything is sent
      reply.type('application/octet-stream');
      return await (reply as FastifyReply).send(
        Readable.from(withFirst(first, pieces, signal), { objectMode: false }),
      );
    },
  );
};

type Fleet = NonNullable<ApiContext['fleet']>;

function fleetOf({ fleet }: ApiContext): Fleet {
  if (fleet !== undefined) return fleet;
  throw new AutocodeError('ERR_STATE', 'No Nomad is configured here.', {
    remedy: 'Set nomad.address and put its token there as the secret nomad-token (docs/fleet.md).',
  });
}

async function deployParts(context: ApiContext): Promise<DeployParts> {
  const { db, tls, config } = context;
  const { nomad, settings, version } = fleetOf(context);
  const { knownAgents } = await import('../../nomad/known-agents.ts');
  const url = settings.url ?? tls?.url() ?? config.api.publicUrl;
  if (url === undefined)
    throw new AutocodeError('ERR_CONFIG', 'Workers on other machines do not reach this orchestrator.', {
      remedy: 'Configure `tls` (docs/fleet.md), or set nomad.url to an address at which they do.',
    });
  const authority = url.startsWith('https:') ? (tls?.authority() ?? null) : null;
  return { db, nomad, settings, url, authority, version, agents: await knownAgents(db, config.placement) };
}

async function ownAllocation(context: ApiContext, id: string) {
  const { nomad, settings } = fleetOf(context);
  const { isOurs } = await import('../../nomad/rollout.ts');
  const found = await nomad.allocation(id);
  if (isOurs(settings, found)) return found;
  throw new AutocodeError('ERR_NOT_FOUND', `Allocation ${id} is of the job ${found.job}, not of Autocode.`, {
    remedy: 'See `autocode worker list`.',
  });
}

async function nodeNow(context: ApiContext, id: string): Promise<FleetNode> {
  const found = (await fleetOf(context).nomad.nodes()).find((node) => node.id === id);
  if (found === undefined) throw new AutocodeError('ERR_NOT_FOUND', `Nomad has no node ${id}.`);
  return shownNode(found);
}

function shownNode({ id, name, address, status, eligible, draining, drivers, resources }: Node): FleetNode {
  return { id, name, address, state: status, eligible, draining, drivers, resources };
}

async function* withFirst(
  first: IteratorResult<Buffer>,
  pieces: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  if (first.done === true) return;
  yield first.value;
  try {
    yield* pieces;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
