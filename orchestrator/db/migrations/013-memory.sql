-- Notes that agents leave about a repository for later runs.
alter table project add memory boolean not null default true;

-- One row a change: by a run, which counts once it has ended well, or by a person who cleared them.
create table memory (
  version    bigint generated always as identity primary key,
  repository bigint not null references repository,
  run        text references run,
  cleared_by text,
  files      jsonb not null,                      -- [{path, text}], all of them
  bytes      int not null,
  at         timestamptz not null default now(),
  unique (repository, run),
  check ((run is null) = (cleared_by is not null))
);
-- Versions that count. The newest of a repository is what its next run is given: one run at a time works there.
create view kept_memory as
  select m.* from memory m left join run r on r.id = m.run
  where m.run is null or r.state in ('succeeded', 'no-change');
