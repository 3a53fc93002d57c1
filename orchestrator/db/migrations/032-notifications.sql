-- Who is told what of the outbox, and what was sent to whom.

-- How far the outbox was read for notifications; only while there are rules.
create table notification_cursor (
  one    boolean primary key default true check (one),
  cursor text not null
);

create table notification_rule (
  id         bigint generated always as identity primary key,
  person     bigint references person on delete cascade,    -- null: of the installation
  project    bigint references project on delete cascade,   -- null: all of them
  kinds      text[] not null check (cardinality(kinds) > 0),
  channels   text[] not null default '{}',
  created_by text not null,
  created_at timestamptz not null default now()
);
create index on notification_rule (person);

-- The inbox: an event is told once to each.
create table notification (
  id      bigint generated always as identity primary key,
  event   text not null,                                    -- its cursor; the event itself may be forgotten earlier
  person  bigint references person on delete cascade,       -- null: of the installation
  kind    text not null,
  project bigint references project on delete cascade,
  task    bigint,
  title   text not null,
  body    text not null,
  path    text,                                             -- of the web page, where there is one for it
  at      timestamptz not null,
  read_at timestamptz,
  unique nulls not distinct (event, person)
);
create index on notification (person, id desc);

-- An event goes once to each channel, whoever's rules named it.
create table notification_delivery (
  id         bigint generated always as identity primary key,
  event      text,                                          -- null: a test
  channel    text not null,
  message    uuid not null default gen_random_uuid(),       -- told to the receiver: the same with each try
  kind       text not null,
  project    bigint references project on delete cascade,
  task       bigint,
  title      text not null,
  body       text not null,
  path       text,
  at         timestamptz not null,
  state      text not null default 'waiting' check (state in ('waiting','sent','failed')),
  tries      int not null default 0,
  retry_at   timestamptz not null default now(),
  trouble    text,
  created_at timestamptz not null default now(),
  ended_at   timestamptz,
  unique (event, channel)
);
create index on notification_delivery (channel, id) where state = 'waiting';
