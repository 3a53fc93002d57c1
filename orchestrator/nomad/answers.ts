// What is read of Nomad's answers, under names of ours. Used by client.ts; `Allocation`, `Node` and the others by all who
// work with the fleet.
import { z } from 'zod';

const Text = z
  .string()
  .nullish()
  .transform((text) => text ?? '');
const NANOSECONDS = 1e6; // of a millisecond

/** Why nothing could be placed: what the scheduler counted for one group. */
export const PlacementFailure = z
  .object({
    NodesEvaluated: z.number(),
    NodesFiltered: z.number(),
    NodesInPool: z.number().default(0),
    NodesAvailable: z.record(z.string(), z.number()).nullish(),
    ClassFiltered: z.record(z.string(), z.number()).nullish(),
    ConstraintFiltered: z.record(z.string(), z.number()).nullish(),
    NodesExhausted: z.number(),
    DimensionExhausted: z.record(z.string(), z.number()).nullish(),
    QuotaExhausted: z.array(z.string()).nullish(),
    CoalescedFailures: z.number().default(0),
  })
  .transform((failure) => ({
    nodes: failure.NodesInPool || failure.NodesEvaluated,
    available: failure.NodesAvailable ?? {},
    filtered: failure.ConstraintFiltered ?? {},
    exhausted: failure.DimensionExhausted ?? {},
    quota: failure.QuotaExhausted ?? [],
    unplaced: failure.CoalescedFailures + 1,
  }));
export type PlacementFailure = z.infer<typeof PlacementFailure>;

const Failures = z
  .record(z.string(), PlacementFailure)
  .nullish()
  .transform((failures) => failures ?? {});

const TaskState = z
  .object({
    State: z.string(),
    Failed: z.boolean(),
    Restarts: z.number().default(0),
    Events: z
      .array(z.object({ Type: z.string(), DisplayMessage: Text, Time: z.number() }))
      .nullish()
      .transform((events) => events ?? []),
  })
  .transform((state) => ({
    state: state.State,
    failed: state.Failed,
    restarts: state.Restarts,
    events: state.Events.map((event) => ({
      type: event.Type,
      message: event.DisplayMessage,
      time: new Date(event.Time / NANOSECONDS),
    })),
  }));

export const Allocation = z
  .object({
    ID: z.string(),
    Name: z.string(),
    Namespace: z.string(),
    JobID: z.string(),
    JobVersion: z.number().nullish(), // of a list; of one alone its whole job is told
    Job: z.object({ Version: z.number() }).nullish(),
    TaskGroup: z.string(),
    NodeID: z.string(),
    NodeName: Text,
    DesiredStatus: z.string(),
    ClientStatus: z.string(),
    ClientDescription: Text,
    DeploymentStatus: z.object({ Healthy: z.boolean().nullish() }).nullish(),
    NextAllocation: Text,
    AllocatedResources: z // of a list only where it is asked for
      .object({ Tasks: z.record(z.string(), z.object({ Memory: z.object({ MemoryMB: z.number() }) })) })
      .nullish(),
    TaskStates: z
      .record(z.string(), TaskState)
      .nullish()
      .transform((states) => states ?? {}),
    CreateTime: z.number(),
    ModifyTime: z.number(),
    ModifyIndex: z.number(),
  })
  .transform((found) => ({
    id: found.ID,
    name: found.Name,
    namespace: found.Namespace,
    /** Of a dispatched one, the id of the dispatched job, as `autocode-run/dispatch-…`. */
    job: found.JobID,
    jobVersion: found.JobVersion ?? found.Job?.Version ?? null,
    group: found.TaskGroup,
    node: { id: found.NodeID, name: found.NodeName },
    /** `run`, `stop` or `evict`: what the scheduler wants. */
    desired: found.DesiredStatus,
    /** `pending`, `running`, `complete`, `failed`, `lost` or `unknown`: what its client said last. */
    status: found.ClientStatus,
    description: found.ClientDescription,
    /** Whether its deployment found it healthy; null while that is open. */
    healthy: found.DeploymentStatus?.Healthy ?? null,
    replacedBy: found.NextAllocation === '' ? null : found.NextAllocation,
    memoryMib:
      found.AllocatedResources == null
        ? null
        : Object.values(found.AllocatedResources.Tasks).reduce((sum, task) => sum + task.Memory.MemoryMB, 0),
    tasks: found.TaskStates,
    created: new Date(found.CreateTime / NANOSECONDS),
    modified: new Date(found.ModifyTime / NANOSECONDS),
  }));
export type Allocation = z.infer<typeof Allocation>;

const BYTES = 1024 * 1024; // of a MiB

/** What an allocation takes of its node now, in MiB; null where its driver does not measure it. */
export const MemoryTaken = z
  .object({
    ResourceUsage: z
      .object({
        MemoryStats: z.object({ Usage: z.number().default(0), RSS: z.number().default(0) }).nullish(),
      })
      .nullish(),
  })
  .transform(({ ResourceUsage }) => {
    const { Usage = 0, RSS = 0 } = ResourceUsage?.MemoryStats ?? {};
    return Usage || RSS ? Math.round((Usage || RSS) / BYTES) : null;
  });

export const Node = z
  .object({
    ID: z.string(),
    Name: z.string(),
    Address: z.string(),
    Datacenter: z.string(),
    NodeClass: Text,
    NodePool: Text,
    Version: z.string(),
    Status: z.string(),
    StatusDescription: Text,
    SchedulingEligibility: z.string(),
    Drain: z.boolean(),
    Drivers: z
      .record(z.string(), z.object({ Detected: z.boolean(), Healthy: z.boolean() }))
      .nullish()
      .transform((drivers) => drivers ?? {}),
    NodeResources: z
      .object({
        Cpu: z.object({ CpuShares: z.number(), TotalCpuCores: z.number().default(0) }),
        Memory: z.object({ MemoryMB: z.number() }),
        Disk: z.object({ DiskMB: z.number() }),
      })
      .nullish(),
  })
  .transform((node) => ({
    id: node.ID,
    name: node.Name,
    address: node.Address,
    datacenter: node.Datacenter,
    class: node.NodeClass,
    pool: node.NodePool,
    version: node.Version,
    /** `initializing`, `ready`, `down` or `disconnected`. */
    status: node.Status,
    description: node.StatusDescription,
    eligible: node.SchedulingEligibility === 'eligible',
    draining: node.Drain,
    drivers: Object.entries(node.Drivers).flatMap(([name, { Healthy }]) => (Healthy ? [name] : [])),
    resources: {
      cpuMhz: node.NodeResources?.Cpu.CpuShares ?? 0,
      cores: node.NodeResources?.Cpu.TotalCpuCores ?? 0,
      memoryMib: node.NodeResources?.Memory.MemoryMB ?? 0,
      diskMib: node.NodeResources?.Disk.DiskMB ?? 0,
    },
  }));
export type Node = z.infer<typeof Node>;

/** A job as Nomad has it: passed back as it came, apart from what is looked at here. */
export const Job = z.looseObject({
  ID: z.string(),
  Type: z.string(),
  Version: z.number().nullish(),
  JobModifyIndex: z.number().nullish(),
  Status: z.string().nullish(),
  Stop: z.boolean().nullish(),
  Meta: z.record(z.string(), z.string()).nullish(),
  TaskGroups: z.array(z.looseObject({ Name: z.string(), Count: z.number().nullish() })),
});
export type Job = z.infer<typeof Job>;

const Field = z.object({ Type: z.string(), Name: z.string(), Old: z.string(), New: z.string() });
export interface ObjectDifference {
  Type: string;
  Name: string;
  Fields?: z.infer<typeof Field>[] | null | undefined;
  Objects?: ObjectDifference[] | null | undefined;
}
const ObjectDifference: z.ZodType<ObjectDifference> = z.object({
  Type: z.string(),
  Name: z.string(),
  Fields: z.array(Field).nullish(),
  get Objects() {
    return z.array(ObjectDifference).nullish();
  },
});
export const JobDifference = z.object({
  Type: z.string(),
  ID: z.string(),
  Fields: z.array(Field).nullish(),
  Objects: z.array(ObjectDifference).nullish(),
  TaskGroups: z
    .array(
      z.object({
        Type: z.string(),
        Name: z.string(),
        Fields: z.array(Field).nullish(),
        Objects: z.array(ObjectDifference).nullish(),
        Tasks: z.array(ObjectDifference).nullish(),
        Updates: z.record(z.string(), z.number()).nullish(),
      }),
    )
    .nullish(),
});
export type JobDifference = z.infer<typeof JobDifference>;

export const JobPlan = z
  .object({
    Diff: JobDifference,
    FailedTGAllocs: Failures,
    JobModifyIndex: z.number(),
    Warnings: Text,
  })
  .transform((plan) => ({
    difference: plan.Diff,
    failures: plan.FailedTGAllocs,
    /** To be passed on to `submit`; 0: there is no such job yet. */
    index: plan.JobModifyIndex,
    warnings: plan.Warnings,
  }));
export type JobPlan = z.infer<typeof JobPlan>;

export const Evaluation = z
  .object({
    ID: z.string(),
    JobID: z.string(),
    Status: z.string(),
    StatusDescription: Text,
    DeploymentID: Text,
    BlockedEval: Text,
    FailedTGAllocs: Failures,
  })
  .transform((found) => ({
    id: found.ID,
    job: found.JobID,
    /** `blocked`, `pending`, `complete`, `failed` or `canceled`. */
    status: found.Status,
    description: found.StatusDescription,
    deployment: found.DeploymentID === '' ? null : found.DeploymentID,
    failures: found.FailedTGAllocs,
  }));
export type Evaluation = z.infer<typeof Evaluation>;

export const Deployment = z
  .object({
    ID: z.string(),
    JobID: z.string(),
    JobVersion: z.number(),
    Status: z.string(),
    StatusDescription: Text,
    TaskGroups: z.record(
      z.string(),
      z.object({
        DesiredTotal: z.number(),
        PlacedAllocs: z.number(),
        HealthyAllocs: z.number(),
        UnhealthyAllocs: z.number(),
      }),
    ),
    ModifyIndex: z.number(),
  })
  .transform((found) => ({
    id: found.ID,
    job: found.JobID,
    jobVersion: found.JobVersion,
    /** `running`, `paused`, `successful`, `failed`, `cancelled` and others that are on their way. */
    status: found.Status,
    description: found.StatusDescription,
    groups: Object.entries(found.TaskGroups).map(([name, group]) => ({
      name,
      desired: group.DesiredTotal,
      placed: group.PlacedAllocs,
      healthy: group.HealthyAllocs,
      unhealthy: group.UnhealthyAllocs,
    })),
  }));
export type Deployment = z.infer<typeof Deployment>;

export const FleetEvent = z
  .object({
    Topic: z.string(),
    Type: z.string(),
    Key: z.string(),
    Index: z.number(),
    Payload: z.unknown(),
  })
  .transform((event) => ({
    topic: event.Topic,
    type: event.Type,
    key: event.Key,
    index: event.Index,
    payload: event.Payload,
  }));
export type FleetEvent = z.infer<typeof FleetEvent>;
