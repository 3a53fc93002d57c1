-- People's own addresses of email are confirmed before anything is sent there. Rules that are about a person's own tasks.

-- By the sign-in provider, by an admin, or by the code of a letter; null: nothing is sent there.
alter table person add column email_verified_at timestamptz;
update person set email_verified_at = now() where email_by_provider;

-- The newest letter to a person with a code that confirms the address; and how many there were, so that nobody is flooded by them.
create table email_letter (
  person       bigint primary key references person on delete cascade,
  address      text not null,
  hash         bytea unique,                              -- of the code; null: used, or the letter could not be sent
  sent_at      timestamptz not null default now(),
  expires_at   timestamptz not null,
  letters      int not null default 1,                    -- since `counted_from`
  counted_from timestamptz not null default now()
);

-- Whether only what happens to tasks that its person gave is told.
alter table notification_rule add column own_tasks boolean not null default false check (not own_tasks or person is not null);

-- Since when a channel fails, and when one took something last, without reading all that is kept.
create index on notification_delivery (split_part(channel, ':', 1), (person is null), ended_at) where state = 'sent';
create index on notification_delivery (split_part(channel, ':', 1), (person is null), created_at)
  where state in ('waiting','failed') and trouble is not null and kind <> 'test' and (person is null or tries > 1);
