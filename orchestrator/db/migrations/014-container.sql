-- Isolation `container`: a sandbox by an OCI runtime.
alter table project drop constraint project_isolation_check;
alter table project add constraint project_isolation_check check (isolation in ('bubblewrap', 'container', 'directory'));
