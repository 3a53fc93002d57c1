-- Forges that projects were registered with (those of the configuration are not in here), the pull requests of
-- changes, and the deliveries of webhooks.

-- Its token is the secret forge-<name>, that of its webhooks webhook-<name>; neither is in the database.
create table forge (
  name       text primary key,
  kind       text not null check (kind in ('gitea')),
  url        text not null,                      -- base address, as its users see it
  created_at timestamptz not null default now()
);

alter table project
  add reviewers jsonb not null default '[]',
  add labels    jsonb not null default '[]';

alter table change
  add number     int,                            -- of the pull request; null where the forge has none
  add forge_head text,                           -- where the branch was last seen, when that is not head_commit
  add trouble    text;                           -- why the forge could not be asked at the last try
create index change_open on change (forge, number) where state = 'open';

-- A delivery that comes again does nothing.
create table delivery (
  source      text not null,
  id          text not null,
  received_at timestamptz not null default now(),
  primary key (source, id)
);
create index on delivery (received_at);
