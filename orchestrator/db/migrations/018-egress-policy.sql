-- The egress policy: what leaves the sandboxes. The newest version holds, of the installation (no project) and of each project.
create table egress_policy (
  version bigint generated always as identity primary key,
  project bigint references project,
  text    text not null,                       -- as it was set, comments counted in
  author  text not null,
  at      timestamptz not null default now()
);
create index egress_policy_project on egress_policy (project, version desc);

-- Record mode: until then a project may reach all of the internet, and what it reaches is learnt from.
create table egress_recording (
  project bigint primary key references project,
  until   timestamptz not null,
  author  text not null
);
