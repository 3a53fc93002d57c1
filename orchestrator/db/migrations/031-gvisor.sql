-- Isolation `gvisor`: a sandbox with a kernel of its own.
alter table project drop constraint project_isolation_check;
alter table project add constraint project_isolation_check check (isolation in ('bubblewrap', 'container', 'gvisor', 'directory'));
