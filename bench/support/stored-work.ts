// Tasks and alarms of the past, written into a database at once: nine of ten tasks have ended, the others wait for their turns.
import type { Database } from '../../orchestrator/db/connect.ts';

const PER_INCIDENT = 20;

/** Stores so many tasks and alarms, half of each. */
export async function store(db: Database, count: number): Promise<void> {
  const client = await db.connect();
  try {
    await client.query('set statement_timeout = 0');
    const half = [Math.floor(count / 2)];
    await client.query(TASKS, half);
    await client.query(ALARMS, half);
    for (const statement of LINKS) await client.query(statement, half);
    await client.query('vacuum analyze');
  } finally {
    client.release(true);
  }
}

const ALL = 'generate_series(0, $1::int - 1) n';
const PROJECT = `(select id from project where name = 'team-' || n % 1000)`;

// The title has the number; a time of the last thirty days.
const AT = `now() - interval '30 days' * (1 - n % 100000 / 100000.0)`;
const TASKS = `insert into task (project, title, body, agent, agent_command, model, state, pending_reason, reason, order_key, attempt, created_by,
    created_at, updated_at, finished_at, class, source_name)
  select ${PROJECT}, 'stored ' || n, 'x', 'command', '["true"]', '', case when n % 10 < 9 then 'completed' else 'pending' end,
    case when n % 10 < 9 then null else 'repository' end, null, ${AT}, (n % 10 < 9)::int, 'tickets', ${AT}, ${AT},
    case when n % 10 < 9 then ${AT} end, 'ticket', 'tickets' from ${ALL}`;
const ALARMS = `with delivered as (
    insert into intake_delivery (source, delivery, via, event, sha256, state, received_at)
      select 'alarms', 'stored ' || n, 'queue', 'message', '', 'done', ${AT} from ${ALL} returning id, delivery, received_at)
  insert into intake_item (delivery, source, scope, key, subject, order_at, title, verdict, claims, created_at)
    select id, 'alarms', 'alarms', 'stored|' || delivery, 'alarm|account-' || id % 1000 || '|eu|stored ' || id / ${PER_INCIDENT}, received_at, 'stored',
      'appended', true, received_at from delivered`;

const STORED = `task.title like 'stored %' and $1::int > 0`;
const LINKS = [
  `insert into task_repository (task, repository, position, base_branch, order_key, waiting, class)
     select task.id, repository.id, 1, 'main', task.order_key, task.state = 'pending', 'ticket'
     from task join repository on repository.project = task.project where ${STORED}`,
  `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline, created_at, finished_at)
     select task.id || '-1', task.id, 1, 'succeeded', 'worker', gen_random_uuid(), 'command', '', 'bubblewrap', task.created_at, task.created_at, task.created_at
     from task where task.state = 'completed' and ${STORED}`,
  `insert into repository_claim (repository, run, claimed_at, released_at)
     select own.repository, task.id || '-1', task.created_at, task.created_at from task join task_repository own on own.task = task.id
     where task.state = 'completed' and ${STORED}`,
  `insert into event (kind, project, task, data, at) select 'task.created', task.project, task.id, '{}', task.created_at from task where ${STORED}`,
  `with made as (
     insert into incident (title, state, first_at, last_at, resolved_at, created_at)
       select 'stored', 'resolved', ${AT}, ${AT}, ${AT}, ${AT} from ${ALL} where n % ${PER_INCIDENT} = 0 returning id)
   insert into incident_account (incident, account) select id, 'account-' || id % 1000 from made`,
];
