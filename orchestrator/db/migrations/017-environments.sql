-- Environments: root directories with a project's tools. A name has versions; the newest that is not removed holds.
create table environment (
  id         bigint generated always as identity primary key,
  name       text not null,
  digest     text not null check (digest ~ '^[0-9a-f]{64}$'),
  bytes      bigint not null,                     -- of its files
  archive    bigint not null,                     -- of the compressed archive
  files      int not null,
  source     text not null,                       -- what it was made from, as its maker says
  created_by text not null,
  created_at timestamptz not null default now(),
  removed_at timestamptz
);
create index environment_name on environment (name, id desc);
create view current_environment as
  select distinct on (name) * from environment where removed_at is null order by name, id desc;

-- Null: as .autocode.yaml or the configuration say; `host`: none, whatever these say.
alter table project add environment text;
-- Decided at the run's first call.
alter table run add environment text, add environment_digest text;
