// The scheduler's own functions on a scenario's database: what the daemon's timers, routes and loops call, called one by one.
// Nothing of them is replaced but the far sides: forges and agents. Used by simulate.ts.
import type { FinishInput } from '../../protocol/run.ts';
import { TaskInput } from '../../protocol/task.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { runTokens } from '../access/tokens.ts';
import { runNeeds } from '../config/placement-settings.ts';
import type { Config } from '../config/schema.ts';
import { transaction, type Database } from '../db/connect.ts';
import { keepIncidents } from '../incidents/keep.ts';
import { incidentRules } from '../incidents/rules.ts';
import { storeDelivery } from '../intake/deliveries.ts';
import { sealer } from '../intake/sealing.ts';
import { workOnDeliveries } from '../intake/work.ts';
import { readSubmission, recordChange } from '../repos/submission-record.ts';
import { claimRun } from '../tasks/claim.ts';
import { createTask } from '../tasks/create.ts';
import { startDrain, stopDrain } from '../tasks/drain.ts';
import { finishRun } from '../tasks/finish.ts';
import { heartbeat } from '../tasks/lease.ts';
import { submissionEmpty, submittedRun } from '../tasks/submission-state.ts';
import { sweep } from '../tasks/sweep.ts';
import { seeWorker } from '../tasks/worker-presence.ts';

const KEY = Buffer.alloc(32, 1);
const COMMIT = { base: 'a'.repeat(40), head: 'b'.repeat(40) };
/** Who gives tasks that come by no source. */
export const PERSON = 'person';

/** What is to be done next, by the database. */
export interface Due {
  queued: boolean;
  /** Something is to be done still that has not begun. */
  waits: boolean;
  /** Something waits for a limit or a change, which the sweep looks after. */
  held: boolean;
  /** When a retry is due, a run is lost or over its time, a delivery is to be looked at. */
  retry: Date | null;
  lease: Date | null;
  work: Date | null;
  /** There are incidents that are not resolved; since when the first of them is quiet. */
  incidents: boolean;
  quiet: Date | null;
}

export type Orchestrator = ReturnType<typeof openOrchestrator>;

/** Binds the functions to a database and to settings. */
export function openOrchestrator(db: Database, config: Config) {
  const seal = sealer(KEY);
  const incidents = incidentRules(config.incidents);
  const { priorityMinutes } = config.scheduling;
  const defaults = { priorityMinutes, agent: 'command', model: null };
  const claimSettings = {
    lease: config.lease,
    limits: config.limits,
    gatewayUrl: '',
    tokens: runTokens(KEY),
    books: { timeZone: config.budget.timeZone, currency: config.currency },
    needs: runNeeds(config.placement),
    scheduling: config.scheduling,
  };
  return {
    /** A message of a queue is there. */
    deliver: async (source: string, delivery: string, message: object): Promise<void> => {
      const raw = { delivery, event: 'message', body: Buffer.from(JSON.stringify(message)) };
      await storeDelivery(db, seal, source, { ...raw, via: 'queue' });
    },
    /** The chore of intake, in so many processes at once. */
    work: async (processes: number): Promise<void> => {
      const { signal } = new AbortController();
      const one = async () => await workOnDeliveries({ db, sealer: seal, defaults, incidents }, signal);
      await Promise.all(Array.from({ length: processes }, one));
    },
    /** The chore of incidents. */
    keepIncidents: async (): Promise<void> => await keepIncidents(db, incidents),
    giveTask: async (input: Partial<TaskInput>): Promise<void> => {
      await createTask(db, TaskInput.parse(input), { ...defaults, actor: PERSON });
    },
    claim: async (worker: string, claimId: string): Promise<WorkOrder | null> =>
      await claimRun(db, { worker, claimId }, claimSettings),
    /** The heartbeats of a run for so long a time. */
    beat: async ({ run, fence }: WorkOrder, leaseSeconds: number): Promise<void> =>
      void (await heartbeat(db, run, fence, { leaseSeconds })),
    see: async (worker: string): Promise<void> => await seeWorker(db, worker),
    finish: async (order: WorkOrder, outcome: FinishInput['outcome']): Promise<void> => {
      const verified = outcome === 'verified';
      if (verified) await noteBases(db, order);
      await finishRun(
        db,
        order.run,
        {
          fence: order.fence,
          outcome,
          headCommits: verified
            ? order.repositories.map(({ id }) => ({ repository: id, commit: COMMIT.head }))
            : [],
          checks: [],
          iterations: 1,
          logs: {},
          ...(outcome === 'failed' && { cause: 'agent', reason: 'It failed, as the scenario says.' }),
        },
        config.limits,
      );
    },
    /** The forge has opened the changes of a run. */
    submit: async (run: string): Promise<void> => await submit(db, run),
    sweep: async (leases: boolean): Promise<void> => {
      const onError = (error: unknown) => {
        throw error;
      };
      const { limits: policy, scheduling } = config;
      await sweep(db, { policy, scheduling, leases, timeZone: config.budget.timeZone, onError });
    },
    drain: async (what: 'start' | 'stop'): Promise<void> => {
      if (what === 'start') await startDrain(db, {}, config.drain, PERSON);
      else await stopDrain(db, undefined);
    },
    due: async (): Promise<Due> => await due(db),
  };
}

async function noteBases(db: Database, { run, repositories }: WorkOrder): Promise<void> {
  await db.query({
    name: 'simulated-base',
    text: `insert into run_repository (run, repository, base_commit) select $1, unnest($2::bigint[]), $3
           on conflict (run, repository) do update set base_commit = excluded.base_commit`,
    values: [run, repositories.map(({ id }) => id), COMMIT.base],
  });
}

async function submit(db: Database, run: string): Promise<void> {
  const submission = await readSubmission(db, run);
  if (submission === undefined) return;
  const changes: number[] = [];
  for (const result of submission.results) {
    const change = {
      branch: `autocode/${submission.task}`,
      commit: COMMIT.head,
      body: '',
      number: null,
      url: null,
    };
    changes.push(
      await transaction(
        db,
        async (tx) => await recordChange(tx, submission, result, { ...change, notes: [] }),
      ),
    );
  }
  if (changes.length === 0) await submissionEmpty(db, run);
  else await submittedRun(db, run, { changes });
}

async function due(db: Database): Promise<Due> {
  const { rows } = await db.query<Due>({
    name: 'simulated-due',
    text: `select exists (select from task where state = 'queued') as queued,
        exists (select from task where held_by is not null) as held,
        exists (select from task where state in ('queued', 'pending')) as waits,
        (select min(not_before) from task where state = 'pending' and not_before is not null) as retry,
        (select min(least(lease_until, deadline + interval '2 minutes')) from run
          where state in ('leased', 'preparing', 'working', 'verifying')) as lease,
        (select min(not_before) from intake_delivery where state = 'waiting') as work,
        exists (select from incident where state <> 'resolved') as incidents,
        (select min(quiet_at) from incident where state = 'settling') as quiet`,
  });
  return rows[0]!;
}
