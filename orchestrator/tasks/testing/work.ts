// What the tests of this folder share: a project with a task, a worker, a claim, and the settings that a daemon would give.
import { randomUUID } from 'node:crypto';
import { ProjectInput } from '../../../protocol/project.ts';
import type { Project } from '../../../protocol/project.ts';
import { FinishInput } from '../../../protocol/run.ts';
import { TaskInput } from '../../../protocol/task.ts';
import type { Task } from '../../../protocol/task.ts';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { WorkerInput, type WorkOrder } from '../../../protocol/worker.ts';
import { runTokens } from '../../access/tokens.ts';
import { PlacementSettings, runNeeds } from '../../config/placement-settings.ts';
import { SchedulingSettings } from '../../config/scheduling-settings.ts';
import type { Queryable } from '../../db/connect.ts';
import { registerWorker } from '../../workers/registry.ts';
import { claimRun, type ClaimSettings } from '../claim.ts';
import { createTask } from '../create.ts';
import { createProject } from '../projects.ts';
import type { SweepOptions, SweepPolicy } from '../sweep.ts';

export const POLICY: SweepPolicy = {
  retries: { agent: 1, platform: 3, lost: 2, outOfTime: 0 },
  retryBackoffSeconds: 15,
  retriesPerHour: { installation: 1000, project: 200 },
};

const SCHEDULING = SchedulingSettings.parse({});

/** A sweep that spares nothing; what it cannot mend fails the test. */
export const SWEEP: SweepOptions = {
  policy: POLICY,
  leases: true,
  scheduling: SCHEDULING,
  timeZone: 'UTC',
  onError(error) {
    throw error;
  },
};

export const SETTINGS: ClaimSettings = {
  lease: { heartbeatSeconds: 10, leaseSeconds: 30, selfStopMinutes: 15 },
  limits: { runDeadlineMinutes: 60, maxIterations: 4, verifyTimeoutMinutes: 15, verifyOutputBytes: 4096 },
  gatewayUrl: 'http://127.0.0.1:1',
  tokens: runTokens(Buffer.alloc(32, 7)),
  books: { timeZone: 'UTC', currency: 'EUR' },
  needs: runNeeds(PlacementSettings.parse({})),
  scheduling: SCHEDULING,
};

/** A trusted project whose agent is `command`, with one repository or those that are named. */
export async function aProject(
  db: Queryable,
  name = 'p',
  more: Partial<ProjectInput> = {},
  repositories = [name],
): Promise<Project> {
  const input = ProjectInput.parse({
    name,
    agent: 'command',
    agentCommand: ['true'],
    trusted: true,
    ...more,
  });
  return await createProject(db, {
    input,
    repositories: repositories.map((each) => ({
      name: each,
      origin: `/srv/${each}`,
      hosted: false,
      defaultBranch: 'main',
    })),
  });
}

/** A task of the project. */
export async function aTask(db: Queryable, project = 'p', more: Partial<TaskInput> = {}): Promise<Task> {
  const input = TaskInput.parse({ project, title: 'do it', ...more });
  return (await createTask(db, input, { actor: 'ann', agent: 'qwen-coder', model: null })).task;
}

/** A registered worker. */
export async function aWorker(
  db: Queryable,
  name = 'w',
  capacity = 10,
  agents: string[] = [],
  more: Partial<WorkerInput> = {},
): Promise<string> {
  const input = WorkerInput.parse({
    protocol: PROTOCOL_VERSION,
    version: '1',
    capacity,
    agents: agents.map((agent) => ({ name: agent, version: '1' })),
    isolations: ['bubblewrap', 'directory'],
    host: 'h',
    ...more,
  });
  await registerWorker(db, name, input);
  return name;
}

/** The next run for the worker, under a fresh claim id. */
export async function claim(db: Queryable, worker = 'w'): Promise<WorkOrder | null> {
  return await claimRun(db, { worker, claimId: randomUUID() }, SETTINGS);
}

/** A project, a worker, a task and its run, claimed. */
export async function aRun(db: Queryable): Promise<WorkOrder> {
  await aProject(db);
  await aWorker(db);
  await aTask(db);
  return (await claim(db))!;
}

/** A report of a run's end. */
export function report(
  order: { fence: number },
  end: Partial<FinishInput> & Pick<FinishInput, 'outcome'>,
): FinishInput {
  return FinishInput.parse({ fence: order.fence, ...end });
}

export const COMMIT = 'c'.repeat(40);
/** What a verified run has pushed to the one repository of its project, the first. */
export const HEADS = [{ repository: 1, commit: COMMIT }];

/** Makes all leases look expired. */
export async function expireLeases(db: Queryable): Promise<void> {
  await db.query(`update run set lease_until = now() - interval '1 second' where lease_until is not null`);
}
