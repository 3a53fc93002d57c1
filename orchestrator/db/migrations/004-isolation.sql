-- What the runs of a project are confined by, and what each worker can give. Projects that there are keep what they had.
alter table project add column isolation text not null default 'directory' check (isolation in ('bubblewrap', 'directory'));
update project set isolation = 'bubblewrap' where not trusted;
alter table project alter column isolation set default 'bubblewrap';
alter table worker add column isolations jsonb not null default '["directory"]';
