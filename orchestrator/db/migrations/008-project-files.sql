-- Settings that repositories bring themselves, tasks from issues, runs done again.

alter table project
  add explicit text[] not null default '{}',     -- of verify, reviewers, labels and draft those that a person has set
  add file     jsonb;                            -- .autocode.yaml of the default branch, as it was last read
-- Projects that there are keep what they have: a file that comes later does not take over.
update project set explicit = array_remove(array[
  case when verify <> '[]' then 'verify' end, case when reviewers <> '[]' then 'reviewers' end,
  case when labels <> '[]' then 'labels' end, case when draft then 'draft' end], null);

alter table run add file jsonb;                  -- what .autocode.yaml of its base commit says

alter table task
  add source    jsonb,                           -- the issue that it was made from
  add replay_of text references run;             -- the run that it does again; its result is never submitted
