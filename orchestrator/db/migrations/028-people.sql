-- People who sign in, what they may do, their sessions; the record of who changed what.

create table person (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  role        text check (role in ('admin','operator','viewer')),  -- in all projects; null: in those of person_role alone
  password    text,                                -- argon2id in PHC form; null: none was set yet, or the provider signs in
  issuer      text,                                -- of the OpenID provider that this person comes from
  subject     text,                                -- and who it is there
  rights      int not null default 1,              -- counts up with each change of what this person may do: open streams end
  created_by  text not null,
  created_at  timestamptz not null default now(),
  disabled_at timestamptz,
  check ((issuer is null) = (subject is null)),
  unique (issuer, subject)
);

-- Besides the role for all projects.
create table person_role (
  person  bigint not null references person on delete cascade,
  project bigint not null references project on delete cascade,
  role    text not null check (role in ('admin','operator','viewer')),
  primary key (person, project)
);

-- A link with which a person sets a password, once; a newer one ends those before.
create table person_link (
  person     bigint primary key references person on delete cascade,
  hash       bytea not null unique,                -- sha-256 of its code, which has 256 random bits
  created_by text not null,
  expires_at timestamptz not null
);

create table session (
  id           bigint generated always as identity primary key,
  person       bigint not null references person on delete cascade,
  hash         bytea not null unique,              -- sha-256 of the cookie, which has 256 random bits
  how          text not null check (how in ('password','link','oidc')),
  address      text not null,
  user_agent   text not null,
  created_at   timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at   timestamptz not null,               -- whatever happens
  ended_at     timestamptz,
  end_reason   text
);
create index on session (person) where ended_at is null;

-- Attempts to sign in by name and by address since the last success: what bounds guessing, also after a restart.
create table sign_in_attempt (
  key       bytea primary key,                     -- sha-256 of what is counted: a name may be a password typed into the wrong field
  attempts  int not null,
  last_at   timestamptz not null default now(),
  closed_until timestamptz not null default now()
);

-- One sign-in at the OpenID provider that is under way; taken away by its callback, so that none is played twice.
create table oidc_attempt (
  hash       bytea primary key,                    -- sha-256 of `state`
  browser    bytea not null,                       -- sha-256 of the cookie of the browser that began
  nonce      text not null,
  verifier   text not null,                        -- of PKCE
  return_to  text not null,
  expires_at timestamptz not null
);
create index on oidc_attempt (expires_at);

-- Tokens that a person made end with the person and never open more than the person may.
alter table token add column person bigint references person on delete cascade;
create index on token (person) where person is not null;

-- Who asked for a change and what came of it. Rows are added, get their outcome once, and are removed past their time.
create table audit_record (
  id         bigint generated always as identity primary key,
  at         timestamptz not null default now(),
  actor      text,                                 -- name of person or token; null: nobody that is known
  person     bigint,
  session    bigint,
  token      bigint,
  role       text,
  address    text not null,
  method     text not null,
  route      text not null,                        -- as in `/api/v1/tasks/:task/cancel`
  target     jsonb not null default '{}',          -- the parameters in it
  project    text,
  status     int,                                  -- of the answer; null: it was not answered, what came of it is not known
  code       text,                                 -- of the error, where it was refused
  request    uuid not null
);
create index on audit_record (at);
create index on audit_record (actor, id desc);
