-- What is looked at before a result is pushed: a project's settings of the rules, and what they found in a run.

alter table project add column checks jsonb not null default '{"rules": {}, "allow": {}}';
alter table run add column findings jsonb not null default '[]';
