-- The drain: while it is asked for, no run begins. One row, which every claim locks (for key share), and the drain with its table: once
-- a transaction that changes it has committed, no claim slips past it.
create table drain (
  one         boolean primary key default true check (one),
  requested   boolean not null default false,      -- by `drain start`, until `drain stop`
  flagged     boolean not null default false,      -- by the flag file, until it says otherwise
  reason      text,
  begun_by    text,
  begun_at    timestamptz,
  deadline    timestamptz,
  at_deadline text check (at_deadline in ('wait','cancel','stop')),
  overdue_at  timestamptz,                         -- what is to happen at the deadline has begun
  drained_at  timestamptz,                         -- since then no run is active
  leave_at    timestamptz,                         -- processes that were there by then are to end
  trouble     text,                                -- what is wrong with the flag file or the ready file
  check ((requested or flagged) = (begun_at is not null)),
  check (begun_at is not null or num_nonnulls(reason, begun_by, deadline, at_deadline, overdue_at, drained_at) = 0)
);
insert into drain default values;

-- Retries that were begun, for the limits per hour; older ones are removed.
create table retry_begun (
  at      timestamptz not null default now(),
  project bigint not null references project,
  task    bigint not null references task
);
create index on retry_begun (at);

create index task_failed on task (finished_at desc, id desc) where state = 'failed';
