-- Where runs take place: what workers are and have, what projects ask for, allocations dispatched for runs, the count of the
-- service job.

alter table worker
  add labels        text[] not null default '{}',
  add placement     text not null default 'unit' check (placement in ('local', 'unit', 'service', 'dispatch')),
  add memory_mib    int,                         -- null where the worker does not say: only its capacity limits it then
  add cores         float8,
  add disk_mib      int,                         -- what is free
  add allocation    text,                        -- in Nomad
  add draining      boolean not null default false,
  add clock_skew    float8,                      -- seconds that its clock is ahead of the database's
  add refused       text;                        -- why its last registration was refused

alter table project
  add placement      text not null default 'any' check (placement in ('local', 'unit', 'service', 'dispatch', 'any')),
  add worker_labels  text[] not null default '{}',
  add run_memory_mib int;                        -- null: as the configuration says for the agent

-- What is set aside on the worker as long as the run is there.
alter table run add memory_mib int not null default 0;

-- Allocations of Nomad's parameterized job: the row is written before Nomad is asked and after it has answered. Nomad makes no
-- second allocation for one token, so that a dispatch that was asked for can be asked for again.
create table nomad_dispatch (
  token         text primary key,                -- <installation>-<task>-<attempt>-<number of the try>
  task          bigint not null references task,
  attempt       int not null,                    -- of the run that it is for
  state         text not null default 'asked' check (state in ('asked', 'dispatched', 'ended')),
  job           text,                            -- the dispatched job
  evaluation    text,
  problem       text,                            -- why there is no allocation, as Nomad says
  asked_at      timestamptz not null default now(),
  dispatched_at timestamptz,
  ended_at      timestamptz,
  check ((state = 'ended') = (ended_at is not null))
);
create unique index nomad_dispatch_open on nomad_dispatch (task, attempt) where state <> 'ended';
create index on nomad_dispatch (task, attempt);

-- What the autoscaler saw and did last.
create table autoscale (
  one       boolean primary key default true check (one),
  count     int not null,                        -- of the service job, as Nomad says
  wanted    int not null,
  reason    text not null,
  looked_at timestamptz not null default now(),
  scaled_at timestamptz,                         -- when the count was changed last
  idle_at   timestamptz,                         -- since then fewer would have done
  problem   text                                 -- why it could not be changed
);
