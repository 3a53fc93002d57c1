-- Answers to where tasks came from: what names a comment before it is written, and when one that failed is tried again.

alter table intake_answer
  add mark     uuid not null default gen_random_uuid(), -- stands in the comment: by it one that was not noted is found
  add tries    int not null default 0,
  add retry_at timestamptz;                             -- null: when there is something new to tell
update intake_answer set retry_at = now() where trouble is not null;
comment on column intake_answer.told is 'digest of the text';

-- How a comment that asked for something was last reacted to.
create table intake_reaction (
  item     bigint primary key references intake_item on delete cascade,
  told     text not null,
  retry_at timestamptz
);

-- Who is in the teams that a source's actors name, as its forge told.
create table intake_team (
  source    text not null references intake_source on delete cascade,
  team      text not null,
  members   text[] not null default '{}',
  told_at   timestamptz,                                -- null: never yet
  looked_at timestamptz not null,
  trouble   text,
  primary key (source, team)
);
