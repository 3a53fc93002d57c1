-- What a run's sandboxes use, as its last heartbeat told; null where its worker does not tell.
alter table run add column sandbox_usage jsonb;
