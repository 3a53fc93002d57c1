-- Where work comes from, what was delivered, and what became of it. Secrets of sources are in the secret store alone.

create table intake_source (
  name       text primary key,
  kind       text not null,
  project    bigint references project,
  trust      jsonb not null,
  settings   jsonb not null,
  cursor     jsonb,                                 -- how far a source that is asked has been read
  looked_at  timestamptz,
  trouble    text,
  paused_at  timestamptz,
  created_by text not null,
  created_at timestamptz not null default now()
);

-- Stored before it is acknowledged; its name at the source makes a repeated one no second. The log outlives its source.
create table intake_delivery (
  id          bigint generated always as identity primary key,
  source      text not null,
  delivery    text not null,
  via         text not null check (via in ('webhook', 'poll', 'queue', 'schedule')),
  event       text not null,
  sha256      bytea not null,
  sealed      bytea,                                -- the body; null when its time is over
  state       text not null default 'waiting' check (state in ('waiting', 'done', 'failed')),
  attempts    int not null default 0,
  repeats     int not null default 0,
  not_before  timestamptz not null default now(),
  reason      text,
  received_at timestamptz not null default now(),
  unique (source, delivery)
);
create index intake_waiting on intake_delivery (id) where state = 'waiting';
create index intake_kept on intake_delivery (received_at) where sealed is not null;

-- What a delivery says, with its verdict. `claims`: it is the one with this key; every other with it is its duplicate.
create table intake_item (
  id         bigint generated always as identity primary key,
  delivery   bigint not null references intake_delivery on delete cascade,
  source     text not null,
  scope      text not null,                         -- within which keys and subjects are one: a forge, or the source
  key        text not null,
  subject    text,
  order_at   timestamptz,                           -- when it happened, by the source's word
  actor      text,
  title      text not null,
  verdict    text not null check (verdict in ('created', 'appended', 'reopened', 'duplicate', 'ignored', 'quarantined', 'rejected')),
  reason     text,
  task       bigint references task,
  claims     boolean not null,
  created_at timestamptz not null default now()
);
create unique index intake_item_one on intake_item (scope, key) where claims;
create index on intake_item (delivery);
create index on intake_item (scope, subject, id) where subject is not null;
create index on intake_item (source, created_at) where claims;
create index on intake_item (task) where task is not null;

-- The one comment by which a task answers where it came from.
create table intake_answer (
  task       bigint primary key references task,
  comment    text,                                  -- its id at the forge
  told       text,
  trouble    text,
  updated_at timestamptz not null default now()
);
