-- Caches of dependencies that workers keep of a repository between its runs: what there is, not the files.
alter table project add dependency_caches boolean not null default true;
-- Counts the clearings: what was left before the last one is never used again, wherever it lies.
alter table repository add caches_generation int not null default 0;

-- One row a run that left a version on its worker. It counts by that run's state.
create table dependency_cache (
  run        text primary key references run,
  repository bigint not null references repository,
  generation int not null,
  kind       text not null,                       -- isolation and environment
  bytes      bigint not null,
  at         timestamptz not null default now()
);
create index on dependency_cache (repository);
-- Versions that later runs may use.
create view kept_dependency_cache as
  select d.*, r.worker from dependency_cache d join run r on r.id = d.run join repository p on p.id = d.repository
  where r.state in ('succeeded', 'no-change') and d.generation = p.caches_generation;
