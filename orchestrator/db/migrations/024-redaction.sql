-- Logs in which values of secrets were masked, and tasks that wait until their secrets can be had.
alter table log_stream add column redacted bigint not null default 0; -- bytes masked: what is kept is not what its runner wrote

alter table task drop constraint task_pending_reason_check;
alter table task add constraint task_pending_reason_check
  check (pending_reason in ('approval','repository','retry','incident','budget','drain','secrets'));
create index task_without_secrets on task (order_key, id) where pending_reason = 'secrets';

-- Why no secret can be read now, as when Vault is sealed; one row.
create table secret_store (
  one  boolean primary key default true check (one),
  away text
);
insert into secret_store default values;
