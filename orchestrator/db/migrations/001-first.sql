-- Installation, access, projects, tasks, runs, logs, changes, model calls, events.
-- Times are the database's clock. Money is in millionths of the ledger currency.

create table installation (
  id          uuid primary key default gen_random_uuid(),
  one         boolean not null default true unique check (one),
  created_at  timestamptz not null default now()
);
insert into installation default values;

create table project (
  id            bigint generated always as identity primary key,
  name          text not null unique,
  verify        jsonb not null default '[]',
  agent         text,
  agent_command jsonb,
  model         text,
  limits        jsonb not null default '{}',
  trusted       boolean not null default false,
  created_at    timestamptz not null default now(),
  archived_at   timestamptz
);

-- One repository a project for now; several come later, so tasks name the repository, not the project's.
create table repository (
  id             bigint generated always as identity primary key,
  project        bigint not null references project,
  origin         text not null,                    -- path or URL that git can fetch from and push to
  hosted         boolean not null,                 -- true: a bare repository of the local forge in the data directory
  forge          text not null default 'local',
  default_branch text not null,
  created_at     timestamptz not null default now()
);
create index on repository (project);

create table task (
  id              bigint generated always as identity primary key,
  project         bigint not null references project,
  repository      bigint not null references repository,
  title           text not null,
  body            text not null,
  acceptance      jsonb not null default '[]',
  target_files    jsonb not null default '[]',
  priority        int not null default 0,
  kind            text not null default 'change',
  base_branch     text not null,
  agent           text not null,
  agent_command   jsonb,
  model           text not null,
  limits          jsonb not null default '{}',
  state           text not null check (state in ('pending','queued','running','completed','failed','cancelled')),
  pending_reason  text check (pending_reason in ('approval','repository','retry','incident','budget','drain')),
  reason          text,
  order_key       timestamptz not null,            -- created_at − priority × ageing step; smaller goes first
  not_before      timestamptz,                     -- a retry waits until then
  attempt         int not null default 0,          -- the fence of the newest run
  retries         jsonb not null default '{}',     -- retries used, by cause
  idempotency_key text,
  created_by      text not null,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  finished_at     timestamptz,
  check ((state = 'pending') = (pending_reason is not null))
);
create unique index on task (project, idempotency_key) where idempotency_key is not null;
create index task_queue on task (order_key, id) where state = 'queued';
-- One queued task, the head, a repository; the others wait as pending(repository). Claims stay flat however many wait.
create unique index task_head on task (repository) where state = 'queued';
create index task_waiting on task (repository, order_key, id) where state = 'pending' and pending_reason = 'repository';
create index task_retry on task (not_before) where state = 'pending' and pending_reason = 'retry';
create index on task (project, id desc);
create index on task (state, id desc);

create table worker (
  name       text primary key,
  host       text not null,
  version    text not null,
  capacity   int not null,
  agents     jsonb not null default '[]',
  state      text not null check (state in ('online','offline')),
  last_seen  timestamptz not null default now(),
  created_at timestamptz not null default now()
);

create table run (
  id               text primary key,               -- <task>-<fence>
  task             bigint not null references task,
  fence            int not null,
  state            text not null check (state in ('leased','preparing','working','verifying','submitting',
                     'succeeded','no-change','failed','cancelled','lost','out-of-time','out-of-budget')),
  live_state       text,                           -- the state it had when it was lost, for a worker that comes back
  cause            text check (cause in ('agent','platform','lost','out-of-time','input')),
  reason           text,
  worker           text not null,
  claim_id         uuid not null unique,
  agent            text not null,
  agent_version    text,
  model            text not null,
  isolation        text not null,
  iterations       int not null default 0,
  base_commit      text,
  head_commit      text,
  plan             jsonb,
  checks           jsonb not null default '[]',
  lease_until      timestamptz,
  deadline         timestamptz not null,
  cancel_requested boolean not null default false,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  finished_at      timestamptz,
  unique (task, fence)
);
create index run_live on run (lease_until) where state in ('leased','preparing','working','verifying');
create index run_submitting on run (updated_at) where state = 'submitting';
create index run_worker_live on run (worker) where state in ('leased','preparing','working','verifying');
-- A task has at most one live run.
create unique index run_one_live on run (task) where state in ('leased','preparing','working','verifying','submitting');

-- A repository is worked on by one run at a time. Two concurrent SKIP LOCKED claims would otherwise both take it.
create table repository_claim (
  id          bigint generated always as identity primary key,
  repository  bigint not null references repository,
  run         text not null references run,
  claimed_at  timestamptz not null default now(),
  released_at timestamptz
);
create unique index repository_claim_one on repository_claim (repository) where released_at is null;
create index on repository_claim (run);

create table log_stream (
  run        text not null references run,
  stream     text not null,
  bytes      bigint not null default 0,            -- on disk and acknowledged; a longer file is cut back to this
  sha256     text,
  state      text not null default 'open' check (state in ('open','complete','truncated')),
  updated_at timestamptz not null default now(),
  primary key (run, stream)
);

create table change (
  id          bigint generated always as identity primary key,
  task        bigint not null references task,
  repository  bigint not null references repository,
  run         text not null references run,
  forge       text not null,
  branch      text not null,
  base_branch text not null,
  base_commit text not null,
  head_commit text not null,
  title       text not null,
  body        text not null,
  state       text not null check (state in ('open','merged','closed')),
  url         text,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  closed_at   timestamptz,
  unique (task, repository)                        -- never a second pull request
);

create table token (
  id           bigint generated always as identity primary key,
  name         text not null,
  role         text not null check (role in ('admin','operator','viewer','worker','run','gateway')),
  hash         bytea not null unique,              -- sha-256 of the token; tokens carry 256 random bits
  run          text references run,                -- for roles run and gateway
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz,
  check ((role in ('run','gateway')) = (run is not null))
);
create index on token (run) where run is not null;

create table model_call (
  id            bigint generated always as identity primary key,
  request       uuid not null unique default gen_random_uuid(),  -- a repeated insert is no second record
  run           text not null references run,
  task          bigint not null,
  project       bigint not null,
  at            timestamptz not null default now(),
  protocol      text not null,
  model_asked   text not null,
  model_served  text not null,
  input_tokens  bigint not null,
  cached_tokens bigint not null,
  output_tokens bigint not null,
  usage_source  text not null check (usage_source in ('upstream','counted','estimated')),
  price         jsonb not null,
  cost_micros   bigint not null,
  status        int not null,
  outcome       text not null check (outcome in ('ok','error','aborted')),
  first_byte_ms int,
  total_ms      int not null
);
create index on model_call (run, id);
create index on model_call (at);

-- The outbox. Serial ids commit out of order, so readers go by (xid, id) and stop below the oldest open transaction:
--   where (xid, id) > ($xid, $id) and xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid, id
-- A restore into another cluster sets xid to '0' in all rows, since its transaction counter starts anew.
create table event (
  id      bigint generated always as identity,
  xid     xid8 not null default pg_current_xact_id(),
  at      timestamptz not null default now(),
  kind    text not null,
  project bigint,
  task    bigint,
  run     text,
  data    jsonb not null default '{}',
  primary key (xid, id)
);
create index on event (at);
create index on event (task, xid, id) where task is not null;
