-- Messages to running tasks, plans that a person approves, what an agent may do when it asks.

create table task_message (
  task         bigint not null references task,
  number       int not null,                     -- their order within the task
  author       text not null,
  text         text not null,
  created_at   timestamptz not null default now(),
  run          text references run,              -- whose agent was given it first; every later run's agent gets it too
  delivered_at timestamptz,
  primary key (task, number),
  check ((run is null) = (delivered_at is null))
);

alter table project
  add approve_plan boolean not null default false,
  add permissions  jsonb not null default '{}';  -- kind of tool → allow or deny

-- The plan that a person decides about; plan_state is null until there is one.
alter table task
  add approve_plan boolean not null default false,
  add plan         jsonb,
  add plan_state   text check (plan_state in ('proposed', 'approved', 'rejected')),
  add check ((plan is null) = (plan_state is null));

-- A run that only made a plan ends as planned. One whose agent is done takes no messages any more.
alter table run
  add steerable boolean not null default true,
  drop constraint run_state_check,
  add constraint run_state_check check (state in ('leased','preparing','working','verifying','submitting',
    'succeeded','no-change','planned','failed','cancelled','lost','out-of-time','out-of-budget'));
