// What is asked of Nomad, and nothing else knows its addresses: jobs, dispatches, deployments, allocations, nodes, variables,
// logs, events. Used by the fleet's verbs, the dispatcher and the reconciler. Errors: refusal.ts.
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import {
  Allocation,
  Deployment,
  Evaluation,
  Job,
  JobPlan,
  MemoryTaken,
  Node,
  type FleetEvent,
} from './answers.ts';
import { followEvents } from './events.ts';
import { jobMistake, unreachable } from './refusal.ts';
import { nomadApi, type Connection, type Waited, type WaitFor } from './http.ts';

/** What a job file leaves open. */
export type Variables = Record<string, string | number | boolean | string[]>;

/** One batch of changes at an index; `gap`: some before it were lost, so what was known is to be read anew. */
export type FleetChange = { gap: true } | { gap: false; index: number; events: FleetEvent[] };

export interface DispatchInput {
  meta: Record<string, string>;
  /** The same again dispatches nothing and answers what the first did. */
  idempotencyToken: string;
}

export interface LogOptions {
  task: string;
  stream: 'stdout' | 'stderr';
  follow?: boolean;
  /** Only the last bytes of it. */
  tailBytes?: number;
  signal?: AbortSignal | undefined;
}

const SUBMITTED = z
  .object({ EvalID: z.string().nullish() })
  .transform((done) => ({ evalId: done.EvalID ?? '' }));
const DISPATCHED = z
  .object({ DispatchedJobID: z.string(), EvalID: z.string().nullish() })
  .transform((done) => ({ dispatchedJobId: done.DispatchedJobID, evalId: done.EvalID ?? '' }));
const VARIABLE = z.object({ Items: z.record(z.string(), z.string()), ModifyIndex: z.number() });
const NANOSECONDS = 1e9; // of a second

export interface NomadClient {
  /** Reads a job file; ERR_NOMAD_JOB names file, line and column of a mistake. */
  parse(file: string, hcl: string, variables: Variables): Promise<Job>;
  /** What submitting a job would change; changes nothing. */
  plan(job: Job): Promise<JobPlan>;
  /** Puts a job in place if it is still at `index` (of its plan); ERR_CONFLICT when somebody else changed it. */
  submit(job: Job, index: number): Promise<{ evalId: string }>;
  /** Undefined where there is none. */
  job(id: string): Promise<Job | undefined>;
  /** Ends a job; its allocations are stopped. */
  stopJob(id: string, options?: { purge?: boolean }): Promise<void>;
  evaluation(id: string, wait?: WaitFor): Promise<Waited<Evaluation>>;
  /** Of a job. */
  evaluations(job: string): Promise<Evaluation[]>;
  /** The newest deployment of a job. */
  latestDeployment(job: string, wait?: WaitFor): Promise<Waited<Deployment | undefined>>;
  deployment(id: string, wait?: WaitFor): Promise<Waited<Deployment>>;
  dispatch(job: string, input: DispatchInput): Promise<{ dispatchedJobId: string; evalId: string }>;
  scale(job: string, group: string, count: number, message?: string): Promise<void>;
  /** Of one job, or of all in the namespace. */
  allocations(job?: string): Promise<Allocation[]>;
  /** ERR_NOT_FOUND where there is none. */
  allocation(id: string): Promise<Allocation>;
  /** Memory that one takes now, in MiB, as its node says; null where that does not measure it. */
  memoryOf(id: string): Promise<number | null>;
  stopAllocation(id: string): Promise<{ evalId: string }>;
  logs(allocation: string, options: LogOptions): AsyncIterable<Buffer>;
  nodes(): Promise<Node[]>;
  /** Moves allocations away within a deadline and places none there; `null` ends the drain and takes new ones again. */
  drainNode(id: string, drain: { deadlineSeconds: number } | null): Promise<void>;
  /** The items of a Nomad variable with the index that a later write checks; undefined where there is none. */
  variable(path: string): Promise<{ items: Record<string, string>; index: number } | undefined>;
  /** `index` 0: there must be none yet. */
  writeVariable(path: string, items: Record<string, string>, index: number): Promise<void>;
  /** Changes as they happen, after `index` where given; goes on by itself when the connection is lost. */
  events(options: { topics: string[]; index?: number; signal: AbortSignal }): AsyncIterable<FleetChange>;
  /** One blocking query: answers when something has changed since `index`, or the time is over. */
  blocking<T>(path: string, answer: z.ZodType<T>, wait: WaitFor): Promise<Waited<T>>;
}

/** Opens nothing yet: each call makes its request. */
export function nomadClient(connection: Connection): NomadClient {
  const api = nomadApi(connection);
  const read = async <T>(path: string, answer: z.ZodType<T>, needs: string, wait?: WaitFor) =>
    await api.ask('GET', path, answer, { needs, wait });

  return {
    async parse(file, hcl, variables) {
      const body = { JobHCL: hcl, Canonicalize: true, Variables: hclVariables(variables) };
      try {
        return (await api.ask('POST', 'jobs/parse', Job, { needs: 'parse-job', body })).value;
      } catch (error) {
        throw isRefused(error) ? jobMistake(file, error.message.replace(REFUSED, '')) : error;
      }
    },
    async plan(job) {
      const body = { Job: job, Diff: true };
      return (await api.ask('POST', `job/${part(job.ID)}/plan`, JobPlan, { needs: 'submit-job', body }))
        .value;
    },
    async submit(job, index) {
      const body = { Job: job, EnforceIndex: true, JobModifyIndex: index };
      return (await api.ask('POST', 'jobs', SUBMITTED, { needs: 'submit-job', body })).value;
    },
    job: async (id) => await ifThere(read(`job/${part(id)}`, Job, 'read-job')),
    async stopJob(id, { purge = false } = {}) {
      await api.ask('DELETE', `job/${part(id)}`, z.unknown(), { needs: 'submit-job', query: { purge } });
    },
    evaluation: async (id, wait) => await read(`evaluation/${id}`, Evaluation, 'read-job', wait),
    evaluations: async (job) =>
      (await read(`job/${part(job)}/evaluations`, Evaluation.array(), 'read-job')).value,
    async latestDeployment(job, wait) {
      const found = await read(`job/${part(job)}/deployment`, Deployment.nullable(), 'read-job', wait);
      return { ...found, value: found.value ?? undefined };
    },
    deployment: async (id, wait) => await read(`deployment/${id}`, Deployment, 'read-job', wait),
    async dispatch(job, { meta, idempotencyToken }) {
      const asked = {
        needs: 'dispatch-job',
        body: { Meta: meta },
        query: { idempotency_token: idempotencyToken },
      };
      return (await api.ask('POST', `job/${part(job)}/dispatch`, DISPATCHED, asked)).value;
    },
    async scale(job, group, count, message = 'by Autocode') {
      const body = { Count: count, Target: { Group: group }, Message: message };
      await api.ask('POST', `job/${part(job)}/scale`, z.unknown(), { needs: 'scale-job', body });
    },
    async allocations(job) {
      const path = job === undefined ? 'allocations' : `job/${part(job)}/allocations`;
      const asked = { needs: 'read-job', query: { resources: true } };
      return (await api.ask('GET', path, Allocation.array(), asked)).value;
    },
    allocation: async (id) => (await read(`allocation/${id}`, Allocation, 'read-job')).value,
    memoryOf: async (id) => (await read(`client/allocation/${id}/stats`, MemoryTaken, 'read-job')).value,
    async stopAllocation(id) {
      return (await api.ask('POST', `allocation/${id}/stop`, SUBMITTED, { needs: 'alloc-lifecycle' })).value;
    },
    async *logs(allocation, { task, stream: type, follow = false, tailBytes, signal }) {
      const from = tailBytes === undefined ? { origin: 'start' } : { origin: 'end', offset: tailBytes };
      const query = { task, type, follow, plain: true, ...from };
      const stream = await api.stream(`client/fs/logs/${allocation}`, { needs: 'read-logs', query, signal });
      try {
        yield* stream;
      } catch (cause) {
        signal?.throwIfAborted();
        throw unreachable(connection.address, cause);
      }
    },
    nodes: async () =>
      (await api.ask('GET', 'nodes', Node.array(), { needs: 'node:read', query: { resources: true } })).value,
    async drainNode(id, drain) {
      const spec = drain && { Deadline: drain.deadlineSeconds * NANOSECONDS, IgnoreSystemJobs: false };
      const body = { DrainSpec: spec, MarkEligible: drain === null };
      await api.ask('POST', `node/${id}/drain`, z.unknown(), { needs: 'node:write', body });
    },
    async variable(path) {
      const found = await ifThere(read(`var/${path}`, VARIABLE, `variables read of ${path}`));
      return found && { items: found.Items, index: found.ModifyIndex };
    },
    async writeVariable(path, items, index) {
      const asked = {
        needs: `variables write of ${path}`,
        query: { cas: index },
        body: { Path: path, Items: items },
      };
      await api.ask('PUT', `var/${path}`, z.unknown(), asked);
    },
    events: (options) => followEvents(api, options),
    blocking: async (path, answer, wait) => await read(path, answer, 'read-job', wait),
  };
}

const REFUSED = /^Nomad refuses \S+ \S+: /;
const part = encodeURIComponent;

function isRefused(error: unknown): error is AutocodeError {
  return error instanceof AutocodeError && error.code === 'ERR_NOMAD_REFUSED';
}

async function ifThere<T>(asked: Promise<Waited<T>>): Promise<T | undefined> {
  try {
    return (await asked).value;
  } catch (error) {
    if (error instanceof AutocodeError && error.code === 'ERR_NOT_FOUND') return undefined;
    throw error;
  }
}

// What a file of variables would say: JSON's strings are HCL's, but for what begins a template there.
function hclVariables(variables: Variables): string {
  const literal = (value: Variables[string]) =>
    JSON.stringify(value).replaceAll(/[$%]\{/g, (mark) => mark[0] + mark);
  return Object.entries(variables)
    .map(([name, value]) => `${name} = ${literal(value)}\n`)
    .join('');
}
