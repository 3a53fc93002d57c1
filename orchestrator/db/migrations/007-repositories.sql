-- Several repositories of a project in one task.

alter table repository
  add name       text,
  add position   int not null default 1,           -- within its project; the first is the primary one
  add removed_at timestamptz;
update repository set name = project.name from project where project.id = repository.project;
alter table repository alter column name set not null;
create unique index on repository (project, name) where removed_at is null;

-- Where a task works. `waiting`: its task is queued or pending(repository); the first of those has the turn at a repository,
-- and a task whose turn has come at all of its repositories is queued. Turns stay cheap to find however many wait.
create table task_repository (
  task        bigint not null references task,
  repository  bigint not null references repository,
  position    int not null,
  base_branch text not null,
  order_key   timestamptz not null,                -- the task's
  waiting     boolean not null,
  primary key (task, repository)
);
insert into task_repository (task, repository, position, base_branch, order_key, waiting)
  select id, repository, 1, base_branch, order_key, state = 'queued' or pending_reason is not distinct from 'repository' from task;
create index task_repository_waiting on task_repository (repository, order_key, task) where waiting;
create index on task_repository (repository);

drop index task_head, task_waiting;
alter table task drop column repository, drop column base_branch;
create index task_queued on task (project) where state = 'queued';

-- A submission that was refused closes what it has opened already; this is noted first, so that a crash does not stop it.
alter table run add refused text;

-- Where a run began in each of its repositories, and what it brought there; no head where nothing changed.
create table run_repository (
  run         text not null references run,
  repository  bigint not null references repository,
  base_commit text,
  head_commit text,
  primary key (run, repository)
);
insert into run_repository (run, repository, base_commit, head_commit)
  select run.id, task_repository.repository, base_commit, head_commit from run join task_repository using (task)
  where base_commit is not null or head_commit is not null;
alter table run drop column base_commit, drop column head_commit;
