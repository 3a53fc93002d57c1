-- Prices, budgets, what was spent, and the ledger. Money is in millionths of the ledger currency, GPU time in milliseconds.

-- A price holds from its time until that of the next one of its model. Rows are added, never changed.
create table price (
  id         bigint generated always as identity primary key,
  model      text not null,                      -- engine/model
  valid_from timestamptz not null,
  price      jsonb not null,                     -- input, cached, output and reasoning, per million tokens
  source     text not null,
  created_by text not null,
  created_at timestamptz not null default now()
);
create index on price (model, valid_from desc, id desc);

-- What may be spent. Subject '' is the appliance's; '*' stands for each subject of the scope that has no budget of its own.
create table budget (
  id         bigint generated always as identity primary key,
  scope      text not null check (scope in ('appliance','project','worker','agent','person','task','run')),
  subject    text not null,
  period     text not null check (period in ('day','week','month','total')),
  unit       text not null check (unit in ('money','tokens','gpu')),
  amount     bigint not null check (amount >= 0),
  origin     text not null default 'set' check (origin in ('set','worker')),  -- worker: what a worker was started with
  created_by text not null,
  created_at timestamptz not null default now(),
  unique (scope, subject, period, unit, origin),
  check ((scope = 'appliance') = (subject = ''))
);

-- Told once a period and subject: that 80 and 100 % of a budget are spent.
create table budget_notice (
  budget  bigint not null references budget on delete cascade,
  subject text not null,                         -- whose spending it is
  since   date not null,                         -- first day of the period
  level   int not null,
  at      timestamptz not null default now(),
  primary key (budget, subject, since, level)
);

-- What open slabs hold of each scope. Its row is what reservations lock, in the order of the key.
create table account (
  scope   text not null,
  subject text not null,
  money   bigint not null default 0 check (money >= 0),
  tokens  bigint not null default 0 check (tokens >= 0),
  gpu     bigint not null default 0 check (gpu >= 0),
  primary key (scope, subject)
);
-- What was spent in each scope; the sum of the days of a period is what a budget compares with.
create table account_day (
  scope   text not null,
  subject text not null,
  day     date not null,
  money   bigint not null default 0,
  tokens  bigint not null default 0,
  gpu     bigint not null default 0,
  primary key (scope, subject, day)
);

-- A part of the budgets that a gateway has taken for a run or key, to draw its calls on. What is left of an open one after a
-- crash is charged: nobody knows what the calls in flight cost.
create table slab (
  id          uuid primary key,
  owner       uuid not null,                     -- the gateway process
  payers      jsonb not null,                    -- scope → subject
  money       bigint not null,                   -- what is left of it
  tokens      bigint not null,
  gpu         bigint not null,
  state       text not null default 'open' check (state in ('open','settled','swept')),
  opened_at   timestamptz not null default now(),
  renewed_at  timestamptz not null default now()
);
create index slab_open on slab (renewed_at) where state = 'open';

-- The journal: double entry, each entry's hash over its text and the hash before it. Append only.
create table ledger_entry (
  seq      bigint primary key,
  id       uuid not null unique,                 -- a repeated entry is no second one
  at       timestamptz not null,
  kind     text not null check (kind in ('usage','swept','adjustment','refund','purchase')),
  debit    text not null,                        -- the account that pays
  credit   text not null,                        -- the account that is paid
  amount   bigint not null check (amount > 0),
  currency text not null,
  detail   json not null,                        -- whose and what for, as it was hashed
  hash     bytea not null
);
create index on ledger_entry (at);
create table ledger_head (
  one  boolean primary key default true check (one),
  seq  bigint not null,
  hash bytea not null
);
insert into ledger_head values (true, 0, '\x');
create function ledger_is_append_only() returns trigger language plpgsql as
  $$ begin raise exception 'the ledger is append-only: correct an entry by another one'; end $$;
create trigger ledger_append_only before update or delete or truncate on ledger_entry
  for each statement execute function ledger_is_append_only();

-- Usage by day and by whatever reports ask for: what a year's calls sum up to.
create table usage_day (
  day              date not null,
  project          text not null,                -- '' for keys of people and services
  task             bigint not null,              -- 0 for those
  agent            text not null,
  model            text not null,
  worker           text not null,
  person           text not null,
  cause            text not null,
  calls            bigint not null,
  input_tokens     bigint not null,
  cached_tokens    bigint not null,
  output_tokens    bigint not null,
  reasoning_tokens bigint not null,
  money            bigint not null,
  gpu              bigint not null,
  primary key (day, project, task, agent, model, worker, person, cause)
);

-- Tasks that wait for a budget to leave something.
create index task_unfunded on task (order_key, id) where pending_reason = 'budget';
-- The last time that the gateway refused a call of the run for want of budget, in words: agents do not always tell.
alter table run
  add over_budget    text,
  add over_budget_at timestamptz;

-- The one project whose tasks a worker takes, when it was started for one.
alter table worker add project text;
