-- Forges of more kinds, and how a project's changes are made and merged.
alter table forge drop constraint forge_kind_check;
alter table forge
  add constraint forge_kind_check check (kind in ('gitea', 'github', 'gitlab')),
  add app_id text;                               -- of a GitHub App; its private key is the secret then

alter table project
  add draft        boolean not null default false,
  add merge_method text check (merge_method in ('merge', 'squash', 'rebase'));   -- null: the forge's default
