-- Where a secret may go: the proxy puts it in the place of a placeholder in requests that the rule allows, and nowhere else.
create table secret_binding (
  id       bigint generated always as identity primary key,
  project  bigint references project,               -- null: runs of every project
  secret   text not null,
  rule     text not null,                           -- in the language of the egress policy, canonical
  plain    boolean not null,                        -- over http too
  place    text not null,                           -- bearer, basic, basic:USER or header:NAME
  variable text not null,                           -- what the sandbox has the placeholder in
  author   text not null,
  at       timestamptz not null default now()
);
create unique index secret_binding_same on secret_binding (coalesce(project, 0), secret, rule, place, variable);

-- What is lent to runs. `until`: until then at the proxy, whatever happens; as long as the run lives and the secret can be read, it moves on.
create table secret_lease (
  run      text not null references run on delete cascade,
  secret   text not null,
  version  int,                                     -- null: it could not be read yet
  since    timestamptz not null default now(),
  until    timestamptz,
  ended_at timestamptz,
  trouble  text,                                    -- why it cannot be read now
  primary key (run, secret)
);
create index secret_lease_open on secret_lease (run) where ended_at is null;
