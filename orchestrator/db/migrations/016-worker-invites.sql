-- Invitations for machines to join as workers: each gives one worker a token, once, within its time.
create table worker_invite (
  id bigint generated always as identity primary key,
  -- Of its secret, which is shown once.
  hash bytea not null unique,
  -- The name that the worker has to take; its machine's when null.
  name text,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  -- By whom it was used: the worker, and the hash of a key that only its machine has. It may ask again within the time.
  used_at timestamptz,
  worker text,
  machine bytea,
  check ((used_at is null) = (worker is null) and (used_at is null) = (machine is null))
);
