-- Keys of people and services, what projects let their agents use, and more of each model call.

-- A gateway token without a run is such a key: its models (empty: all), whether they may be outside, its project if any.
alter table token
  drop constraint token_check,
  add kind     text check (kind in ('person','service')),
  add models   jsonb not null default '[]',
  add external boolean not null default false,
  add project  bigint references project,
  add check (role <> 'run' or run is not null),
  add check ((kind is not null) = (role = 'gateway' and run is null));

alter table project add model_policy jsonb not null default '{}';

-- A call is a run's or a key's.
alter table model_call
  alter run drop not null,
  alter task drop not null,
  alter project drop not null,
  add key              bigint references token,
  add worker           text,
  add reasoning_tokens bigint,
  add gpu_ms           bigint not null default 0,
  add queue_ms         int not null default 0,
  add cause            text not null default 'agent' check (cause in ('agent','retry','platform')),
  add fallback         text,                     -- why the models before the served one were passed over
  add check ((run is null) <> (key is null));
create index on model_call (key, id) where key is not null;

-- What the run's agent says that it has used: advisory.
alter table run add agent_tokens jsonb;

-- Written before a request leaves the appliance; the answer's size when it has come.
create table egress_record (
  request   uuid not null,
  at        timestamptz not null default now(),
  run       text references run,
  key       bigint references token,
  engine    text not null,
  host      text not null,
  bytes_out bigint not null,
  bytes_in  bigint
);
create index on egress_record (request);
create index on egress_record (at);
create index on egress_record (run, at) where run is not null;
