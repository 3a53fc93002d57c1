// Random histories against a real database: whatever workers, people and the sweep do in whatever order, the rules hold.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../test/support/database.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { runId } from '../../protocol/ids.ts';
import { QuietHours, TASK_CLASSES, type TaskClass } from '../../protocol/order-of-work.ts';
import { TaskInput } from '../../protocol/task.ts';
import { SchedulingSettings } from '../config/scheduling-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { setBudget } from '../budget/budgets.ts';
import { approvePlan, rejectPlan } from './approval.ts';
import { cancelTask } from './cancel.ts';
import { claimRun } from './claim.ts';
import { createTask } from './create.ts';
import { editTask } from './edit.ts';
import { finishRun } from './finish.ts';
import { budgetsChanged } from './funds.ts';
import { heartbeat, progress } from './lease.ts';
import { noteDelivery, sendMessage } from './messages.ts';
import { updateProject } from './projects.ts';
import { getRun } from './queries.ts';
import { retryTask } from './retry.ts';
import { submissionCancelled, submissionEmpty, submissionFailed, submittedRun } from './submission-state.ts';
import { sweep } from './sweep.ts';
import { aProject, aWorker, COMMIT, expireLeases, POLICY, report, SETTINGS, SWEEP } from './testing/work.ts';

const PROJECTS = 2;
const TASKS = 6;
const REPOSITORIES = ['a', 'b', 'c'];
const PLAN = { summary: '', steps: [{ title: 'do it', status: 'pending' as const }] };
const HOURS: (QuietHours[] | null)[] = [[QuietHours.parse({ from: '00:00', to: '00:00' })], [], [], null];
const SCHEDULING = SchedulingSettings.parse({
  limits: { perAccount: 1, perProject: 2, sources: { ticket: 1 } },
});
const LIMITED = { ...SETTINGS, scheduling: SCHEDULING };
const REFUSALS = ['ERR_STATE', 'ERR_STALE_FENCE', 'ERR_NOT_FOUND', 'ERR_LOG_INCOMPLETE'];

type Command = (db: Queryable) => Promise<unknown>;

const task = fc.integer({ min: 1, max: TASKS });
const worker = fc.constantFrom('w0', 'w1');
const outcome = fc.constantFrom(
  'verified',
  'verified',
  'no-change',
  'planned',
  'failed',
  'cancelled',
  'out-of-time',
  'out-of-budget',
  'lost',
);
const cause = fc.constantFrom('agent', 'platform', 'input');
const often = (weight: number, arbitrary: fc.Arbitrary<Command>) => ({ weight, arbitrary });

/** Does something to the newest run of a task, mostly of one that runs, or now and then to the run before. */
const toRun = <T>(
  how: fc.Arbitrary<T>,
  act: (db: Queryable, run: string, fence: number, how: T) => Promise<unknown>,
): fc.Arbitrary<Command> =>
  fc
    .tuple(fc.constantFrom(0, 0, 1, 1, 2, 3), fc.constantFrom(0, 0, 0, 0, 1), how)
    .map(([nth, back, chosen]) => async (db) => {
      const { rows } = await db.query<{ id: number; fence: number }>(
        `select id, attempt - $2::int as fence from task where attempt > $2 order by state = 'running' desc, updated_at desc offset $1 limit 1`,
        [nth, back],
      );
      for (const { id, fence } of rows) await act(db, runId(id, fence), fence, chosen);
    });

const command: fc.Arbitrary<Command> = fc.oneof(
  often(
    8,
    fc
      .tuple(
        fc.nat(PROJECTS - 1),
        fc.integer({ min: -2, max: 2 }),
        fc.option(fc.subarray(REPOSITORIES, { minLength: 1 }), { nil: undefined }),
        fc.constantFrom(...TASK_CLASSES),
      )
      .map(
        ([p, priority, repositories, one]) =>
          async (db) =>
            await giveTask(db, `p${p}`, one, { priority, repositories }),
      ),
  ),
  often(
    2,
    fc.tuple(task, fc.integer({ min: -3, max: 3 })).map(
      ([t, priority]) =>
        (db) =>
          editTask(db, t, { priority }, { actor: 'ann', priorityMinutes: 10 }),
    ),
  ),
  often(
    1,
    fc.tuple(fc.nat(PROJECTS - 1), fc.constantFrom(...HOURS)).map(
      ([p, quietHours]) =>
        (db) =>
          updateProject(db, `p${p}`, { quietHours }),
    ),
  ),
  often(
    2,
    fc
      .constantFrom('merged', 'closed')
      .map((state) => (db) => db.query(`update change set state = $1 where state = 'open'`, [state])),
  ),
  often(
    14,
    worker.map((name) => (db) => claimRun(db, { worker: name, claimId: randomUUID() }, LIMITED)),
  ),
  often(
    3,
    toRun(fc.constant(null), (db, run, fence) => heartbeat(db, run, fence, { leaseSeconds: 30 })),
  ),
  often(
    4,
    toRun(fc.constantFrom('preparing', 'working', 'verifying'), (db, run, fence, state) =>
      progress(db, run, { fence, state }),
    ),
  ),
  often(
    8,
    toRun(fc.tuple(outcome, cause), async (db, run, fence, [end, why]) => {
      const { repositories } = await getRun(db, run);
      const headCommits = repositories.map(({ id }) => ({ repository: id, commit: COMMIT }));
      await finishRun(
        db,
        run,
        report({ fence }, { outcome: end, cause: why, headCommits, plan: PLAN }),
        POLICY,
      );
    }),
  ),
  often(
    5,
    toRun(
      fc.constantFrom('opened', 'empty', 'cancelled', 'platform', 'input'),
      async (db, run, _fence, how) => {
        if (how === 'opened') await openChange(db, run);
        else if (how === 'empty') await submissionEmpty(db, run);
        else if (how === 'cancelled') await submissionCancelled(db, run);
        else await submissionFailed(db, run, { cause: how, reason: how }, POLICY);
      },
    ),
  ),
  often(
    1,
    task.map((t) => (db) => cancelTask(db, t, 'ann')),
  ),
  often(
    2,
    task.map((t) => (db) => retryTask(db, t)),
  ),
  often(
    2,
    task.map((t) => (db) => approvePlan(db, t, 'ann', {})),
  ),
  often(
    1,
    task.map((t) => (db) => rejectPlan(db, t, { author: 'ann', text: 'no' })),
  ),
  often(
    2,
    task.map((t) => (db) => sendMessage(db, t, { author: 'ann', text: 'so' })),
  ),
  often(
    2,
    toRun(fc.tuple(fc.nat(3), fc.boolean()), (db, run, fence, [delivered, last]) =>
      noteDelivery(db, run, { fence, delivered, last }),
    ),
  ),
  often(
    2,
    fc.tuple(fc.nat(PROJECTS - 1), fc.constantFrom(0, 1, 1, 1)).map(([p, amount]) => async (db) => {
      const of = { scope: 'project', subject: `p${p}`, period: 'total', unit: 'tokens', amount } as const;
      await setBudget(db, of, 'ann');
      if (amount > 0) await budgetsChanged(db, 'UTC');
    }),
  ),
  often(
    3,
    fc.constantFrom(true, false, false).map((forced) => async (db) => {
      if (forced) await expireLeases(db);
      await db.query(`update task set not_before = now() where not_before is not null`);
      await sweep(db, { ...SWEEP, scheduling: SCHEDULING });
    }),
  ),
);

/** A task of a class, whose source has the name of the class; incidents are all about one account. */
async function giveTask(
  db: Queryable,
  project: string,
  one: TaskClass,
  more: Partial<TaskInput>,
): Promise<void> {
  const from = { source: one, class: one, account: one === 'incident' ? '4711' : null };
  const input = TaskInput.parse({ project, title: 'do it', ...more });
  await createTask(db, input, { actor: 'ann', agent: 'command', model: null, from });
}

/** Submits a run as one change, in the first of its repositories. */
async function openChange(db: Queryable, run: string): Promise<void> {
  const { rows } = await db.query<{ id: number }>(
    `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state)
     select task, repository, run.id, 'local', 'b', 'main', $2, $2, 't', 'b', 'open' from run join task_repository using (task)
       where run.id = $1 and run.state = 'submitting' order by position limit 1
     on conflict (task, repository) do update set run = excluded.run, state = 'open' returning id`,
    [run, COMMIT],
  );
  for (const { id } of rows) await submittedRun(db, run, { changes: [id] });
}

/** Every rule as a query that finds what breaks it. */
const RULES: Record<string, string> = {
  'a task has at most one live run, and one exactly when it runs': `
    select t.id, t.state from task t
    where (t.state = 'running')::int <> (select count(*) from run r where r.task = t.id and r.state in ('leased','preparing','working','verifying','submitting'))`,
  'a repository has at most one claim, which belongs to a live run of its own': `
    select c.repository, c.run from repository_claim c join run r on r.id = c.run
    where c.released_at is null and (c.repository not in (select repository from task_repository where task = r.task) or r.state not in ('leased','preparing','working','verifying','submitting'))`,
  'a live run has all of its repositories': `
    select r.id from run r join task_repository u on u.task = r.task where r.state in ('leased','preparing','working','verifying','submitting')
      and not exists (select from repository_claim c where c.run = r.id and c.repository = u.repository and c.released_at is null)`,
  'a claimed repository has no queued task': `
    select t.id from task t join task_repository u on u.task = t.id join repository_claim c on c.repository = u.repository and c.released_at is null where t.state = 'queued'`,
  'a task that waits is queued exactly when all of its repositories are free and none goes before it there': `
    select w.id from task w join project p on p.id = w.project where (w.state = 'queued' or w.pending_reason = 'repository')
      and (w.state = 'queued') <> (w.class <> all(p.quiet) and not exists (
      select from task_repository u where u.task = w.id and (
        exists (select from repository_claim c where c.repository = u.repository and c.released_at is null)
        or exists (select from task_repository b join task h on h.id = b.task where b.repository = u.repository
          and (h.state = 'queued' or h.pending_reason = 'repository') and h.class <> all(p.quiet) and (h.order_key, h.id) < (w.order_key, w.id)))))`,
  'the repositories of a task know whether it waits for them': `
    select t.id from task t join task_repository u on u.task = t.id
    where u.waiting <> (t.state = 'queued' or t.pending_reason is not distinct from 'repository') or u.order_key <> t.order_key or u.class <> t.class`,
  'a task is held by something exactly while it waits for a limit or a change': `
    select id from task where (held_by is not null) <> (coalesce(pending_reason, '') in ('limit', 'change'))`,
  'no more runs are at work than the limits say, but for those that came back': `
    select * from (select count(*) filter (where account = '4711') as account, count(*) filter (where source_name = 'ticket') as source from task where state = 'running') at_work
    where greatest(account, source) > 1 + (select count(*) from event where kind = 'run.state' and data->>'from' = 'lost')`,
  'where changes are waited for, none works beside an earlier one but for a run that came back': `
    select t.id from task t join project p on p.id = t.project and p.after_change = 'wait' join task_repository u on u.task = t.id
      join change c on c.repository = u.repository and c.state = 'open' and c.task <> t.id
    where t.state = 'running' and not exists (select from change own where own.task = t.id and own.repository = u.repository and own.state = 'open')
      and not exists (select from event where kind = 'run.state' and data->>'from' = 'lost')`,
  'the fence of a task is that of its newest run, and no number is left out': `
    select t.id from task t where t.attempt <> (select coalesce(max(fence), 0) from run where task = t.id)
      or t.attempt <> (select count(*) from run where task = t.id)`,
  'only the newest run is live': `
    select r.id from run r join task t on t.id = r.task
    where r.state in ('leased','preparing','working','verifying','submitting') and r.fence <> t.attempt`,
  'a run has a lease exactly while a runner has it': `
    select id, state from run where (lease_until is not null) <> (state in ('leased','preparing','working','verifying'))`,
  'what has ended says when, and nothing else does': `
    select 'task' as what, id::text from task where (finished_at is not null) <> (state in ('completed','failed','cancelled'))
    union all select 'run', id from run where (finished_at is not null) <> (state not in ('leased','preparing','working','verifying','submitting'))`,
  'no log is open and no key of the gateway valid after the end of a run': `
    select r.id from run r where r.state not in ('leased','preparing','working','verifying','submitting') and (
      exists (select from log_stream where run = r.id and state = 'open')
      or exists (select from token where run = r.id and role = 'gateway' and revoked_at is null))`,
  'a runner that has its run has its keys': `
    select r.id from run r where r.state in ('leased','preparing','working','verifying') and
      2 <> (select count(*) from token where run = r.id and revoked_at is null and expires_at is null)`,
  'no worker has more than its room, but for runs that came back': `
    select w.name from worker w where capacity + (select count(*) from event where kind = 'run.state' and data->>'from' = 'lost')
      < (select count(*) from run where worker = w.name and state in ('leased','preparing','working','verifying'))`,
  'a task that waits for approval has a plan to approve': `
    select id from task where pending_reason = 'approval' and (plan is null or plan_state <> 'proposed')`,
  'messages are numbered without a gap, and each was delivered by a run of its own task': `
    select task, 'number' as what from task_message group by task having count(*) <> max(number)
    union all select m.task, 'run' from task_message m join run r on r.id = m.run where r.task <> m.task`,
  'the events of a task tell its states without a break': `
    select * from (
      select task, data->>'from' as "from", lag(data->>'to', 1, 'pending') over (partition by task order by id) as before
      from event where kind = 'task.state') as steps where "from" <> before`,
};

async function assertRules(db: Queryable): Promise<void> {
  for (const [rule, sql] of Object.entries(RULES)) assert.deepEqual((await db.query(sql)).rows, [], rule);
}

async function run(db: Queryable, act: Command): Promise<void> {
  try {
    await act(db);
  } catch (error) {
    if (!(error instanceof AutocodeError && REFUSALS.includes(error.code))) throw error;
  }
}

async function prepare(db: Queryable): Promise<void> {
  for (let project = 0; project < PROJECTS; project++)
    await aProject(db, `p${project}`, { afterChange: project === 0 ? 'wait' : 'base' }, REPOSITORIES);
  for (const one of TASK_CLASSES)
    for (const [project, repository] of ['a', 'b'].entries())
      await giveTask(db, `p${project}`, one, { repositories: [repository] });
  await aWorker(db, 'w0', 1);
  await aWorker(db, 'w1', 2);
}

test(
  'random histories, one step after the other, keep every rule at every step',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 40, maxLength: 100, size: 'max' }),
        async (commands) => {
          await using db = await testDatabase();
          await prepare(db.pool);
          for (const act of commands) {
            await run(db.pool, act);
            await assertRules(db.pool);
          }
        },
      ),
      { numRuns: 6 },
    );
  },
);

test(
  'random histories, eight steps at once, keep every rule in the end, and nothing deadlocks',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 100, maxLength: 200, size: 'max' }),
        async (commands) => {
          await using db = await testDatabase();
          await prepare(db.pool);
          const waiting = commands.values();
          await Promise.all(
            Array.from({ length: 8 }, async () => {
              for (const act of waiting) await run(db.pool, act);
            }),
          );
          await assertRules(db.pool);
          const { rows } = await db.pool.query(
            'select deadlocks from pg_stat_database where datname = current_database()',
          );
          assert.equal(rows[0].deadlocks, 0);
        },
      ),
      { numRuns: 6, endOnFailure: true },
    );
  },
);

test(
  'random histories, whose connections are cut at any time, keep every rule',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 100, maxLength: 200, size: 'max' }),
        async (commands) => {
          await using db = await testDatabase();
          await prepare(db.pool);
          const waiting = commands.values();
          const steps = Array.from({ length: 4 }, async () => {
            for (const act of waiting) await run(db.pool, act).catch(assertCut);
          });
          let over = false;
          const cutting = (async () => {
            while (!over) await db.pool.query(CUT_ONE).catch(assertCut);
          })();
          await Promise.allSettled(steps);
          over = true;
          await cutting;
          await Promise.all(steps);
          await assertRules(db.pool);
        },
      ),
      { numRuns: 3, endOnFailure: true },
    );
  },
);

const CUT_ONE = `select pg_terminate_backend(pid) from pg_stat_activity, pg_sleep(0.01)
  where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' limit 1`;

/** What a caller sees when its connection is cut: the transaction happened wholly, or not at all. */
function assertCut(error: unknown): void {
  assert.match(String(error), /terminat|connection|not queryable|EPIPE|ECONNRESET/i);
}
