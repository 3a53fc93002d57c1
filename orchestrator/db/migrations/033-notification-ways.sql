-- How people are told: email, browsers, digests, quiet hours; and that the same is not told over and over.

alter table person add column email text;
alter table person add column email_by_provider boolean not null default false;  -- then it follows the provider

-- A person without a row is told by the inbox, and by browsers that are subscribed, at once.
create table notification_settings (
  person     bigint primary key references person on delete cascade,
  email      boolean not null,                          -- whether what the inbox gets goes to the person's address
  digest     text not null check (digest in ('off','hourly','daily')),
  digest_at  text not null,                             -- time of day of a daily one, in `time_zone`
  quiet_from text,
  quiet_to   text,
  time_zone  text not null,
  check ((quiet_from is null) = (quiet_to is null))
);

-- Browsers that a person has let show notifications; one is forgotten when its push service says that it is gone.
create table push_subscription (
  id         bigint generated always as identity primary key,
  person     bigint not null references person on delete cascade,
  endpoint   text not null unique,
  p256dh     text not null,
  auth       text not null,
  label      text not null,
  created_at timestamptz not null default now()
);
create index on push_subscription (person);

-- The same again: one row, with how often and since when. `subject` is what it is about, as `task/7`.
alter table notification add column subject text;
alter table notification add column count int not null default 1;
alter table notification add column first_at timestamptz;
create index on notification (person, kind, subject) where read_at is null;

-- `channel` is a channel's name, or of a person `email:<person>` and `push:<subscription>`. What is held goes out at `retry_at`:
-- by itself where it is alone, else in a delivery of the kind `digest`, as a part of which it is `joined`.
alter table notification_delivery add column person bigint references person on delete cascade;
alter table notification_delivery add column subject text;
alter table notification_delivery add column count int not null default 1;
alter table notification_delivery add column digest bigint references notification_delivery on delete cascade;
alter table notification_delivery drop constraint notification_delivery_state_check;
alter table notification_delivery add constraint notification_delivery_state_check
  check (state in ('held','waiting','sent','failed','joined'));
create index on notification_delivery (retry_at) where state in ('held','waiting');
create index on notification_delivery (channel, kind, subject, at);
create index on notification_delivery (digest) where digest is not null;
create index on notification_delivery (person) where person is not null;
