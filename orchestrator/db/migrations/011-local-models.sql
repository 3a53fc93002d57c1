-- Models that the appliance runs on its own GPUs. The gateway's process owns them; others read here and ask by commands.

-- The catalogue's models as the gateway's process sees them.
create table local_model (
  name     text primary key,
  entry    jsonb not null,                        -- LocalModel
  weights  text not null check (weights in ('here','missing','broken')),
  waiting  int  not null default 0,               -- requests that wait for it
  used_at  timestamptz,
  problem  text,                                  -- why it cannot be loaded now
  remedy   text
);

-- What runs, or should: one row a replica. `launch` is in the process's environment, so that one whose pid was not yet
-- recorded is found. Rows stay as the history that calibrates predictions.
create table engine_instance (
  launch        uuid primary key,
  model         text not null,
  replica       int  not null default 0,
  kind          text not null check (kind in ('vllm','ray-serve','ollama')),
  state         text not null check (state in ('loading','ready','asleep','stopping','stopped','failed')),
  handle        jsonb not null default '{}',      -- what the engine needs to find it again: pid, start time, application …
  endpoint      text,
  gpus          jsonb not null default '[]',
  predicted_mib int,                              -- on each GPU: predicted, as the engine says, as nvidia-smi says
  reported_mib  int,
  measured_mib  int,
  in_flight     int not null default 0,
  figures       jsonb,
  problem       text,
  remedy        text,
  began_at      timestamptz not null default now(),
  since         timestamptz not null default now(),
  ready_at      timestamptz,
  used_at       timestamptz,
  ended_at      timestamptz
);
create unique index on engine_instance (model, replica) where state not in ('stopped','failed');
create index on engine_instance (model, began_at);

create table model_command (
  id      bigint generated always as identity primary key,
  model   text not null,
  action  text not null check (action in ('load','unload','sleep','wake')),
  actor   text not null,
  at      timestamptz not null default now(),
  state   text not null default 'waiting' check (state in ('waiting','done','failed')),
  detail  text not null default '',
  remedy  text,
  done_at timestamptz
);
create index on model_command (id) where state = 'waiting';

create table model_decision (
  id      bigint generated always as identity primary key,
  at      timestamptz not null default now(),
  model   text not null,
  action  text not null,
  reason  text not null,
  gpus    jsonb not null default '[]',
  outcome text
);
create index on model_decision (model, id);

-- What nvidia-smi said last, one row a GPU.
create table gpu (
  index   int primary key,
  seen_at timestamptz not null,
  reading jsonb not null
);
-- The watch over them: when it looked last, and why it knows of none, if so.
create table gpu_watch (
  one     boolean primary key default true check (one),
  seen_at timestamptz not null,
  problem text
);

create table model_test (
  id     bigint generated always as identity primary key,
  model  text not null,
  agent  text not null,
  at     timestamptz not null default now(),
  state  text not null default 'running' check (state in ('running','done','failed')),
  passed boolean not null default false,
  checks jsonb not null default '[]',
  problem text,
  remedy  text
);
create index on model_test (model, agent, id);

-- Set by people; goes before the configuration's models.roles and the catalogue's.
create table model_role (
  role   text primary key,
  models jsonb not null,
  actor  text not null,
  at     timestamptz not null default now()
);
