-- What forges say of changes: reviews, conflicts. And open changes that follow when the one below them was merged.

alter table change
  add review       text not null default 'none' check (review in ('none','commented','approved','changes-requested')),
  add reviews      jsonb not null default '[]',    -- the newest of each person: {by, says, stale}
  add mergeable    text not null default 'unknown' check (mergeable in ('yes','conflicts','blocked','unknown')),
  add merge_reason text,                           -- files in conflict, or what the forge wants first
  add draft        boolean not null default false,
  add look         bigint not null default 0,      -- the number of the look that this is of: an older one that comes late changes nothing
  add resolving    boolean not null default false, -- its next run begins upon the base as it is then, to resolve a conflict
  add follow       jsonb;                          -- its move upon the base, recorded before the push: {target, head}; or why there is none: {target, left}

-- Counts looks at changes in the order in which they begin; no clock, which may go back.
create sequence change_look;
