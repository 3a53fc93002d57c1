-- What was proposed to be bought, and what became of it. Numbers of cards are never here: the body names where they go.
create table purchase (
  id           bigint generated always as identity primary key,
  entry        uuid not null default gen_random_uuid(),  -- of the ledger; also what the payee knows it by
  project      bigint references project,
  url          text not null,
  content_type text not null,
  body         text not null,
  amount       bigint not null check (amount > 0),
  memo         text not null,
  state        text not null default 'proposed' check (state in ('proposed','rejected','sending','paid','failed','unknown')),
  day          date,                                     -- on which it counts in budgets; null when it does not
  status       int,                                      -- what the payee answered with
  reason       text,
  proposed_by  text not null,
  proposed_at  timestamptz not null default now(),
  decided_by   text,
  decided_at   timestamptz,
  ended_at     timestamptz
);
create index purchase_unsettled on purchase (id) where state in ('proposed','sending','unknown');
