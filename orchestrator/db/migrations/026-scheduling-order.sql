-- The order of work: classes of tasks share what begins, limits hold runs off, nothing begins in quiet hours, and a task can wait for
-- an earlier change of its repository, or be built upon it.

alter table task
  add class       text not null default 'person' check (class in ('incident','ticket','person','schedule')),
  add source_name text not null default 'api',      -- an intake source; `api`: given by a person or a program
  add account     text,                             -- as the source names it
  add held_by     text;                             -- what it waits for as pending(limit) or pending(change): `source:NAME`, `change:REPOSITORY`
update task t set source_name = item.source,
    class = case when t.kind = 'investigate' then 'incident' when source.kind = 'schedule' then 'schedule' else 'ticket' end
  from intake_item item left join intake_source source on source.name = item.source
  where item.task = t.id and item.verdict = 'created';
alter table task drop constraint task_pending_reason_check;
alter table task add constraint task_pending_reason_check
  check (pending_reason in ('approval','repository','retry','incident','budget','drain','secrets','limit','change'));
create index task_turn on task (class, order_key, id) where state = 'queued';
create index task_running on task (source_name, account, project) where state = 'running';
create index task_held on task (held_by, order_key, id) where held_by is not null;

alter table task_repository add class text not null default 'person'; -- the task's
update task_repository r set class = t.class from task t where t.id = r.task and t.class <> 'person';
create index task_repository_turn on task_repository (repository, class, order_key, task) where waiting;

-- Whose turn it is among classes that wait. Each run that begins while others wait moves its class on by the inverse of its weight;
-- `began` is where it stood then. A class that had nothing to do comes back where the others are.
create table class_share (
  class  text primary key,
  began  double precision not null default 0,
  served double precision not null default 0
);
insert into class_share (class) values ('incident'), ('person'), ('ticket'), ('schedule');

alter table project
  add max_runs     int check (max_runs > 0),        -- null: as configured
  add quiet_hours  jsonb,                           -- null: as configured
  add quiet        text[] not null default '{}',    -- classes of which none begins now
  add after_change text not null default 'base' check (after_change in ('base','stack','wait'));

-- The open change on whose branch a run began, and which a change is built upon.
alter table run_repository add onto bigint references change;
alter table change add onto bigint references change;
create index change_open_at on change (repository) where state = 'open';
create index change_onto on change (onto) where state = 'open' and onto is not null;
