-- Incidents that were merged: resolved for good, they point to the one that has all that was theirs. Whose intake's items are.

alter table incident
  add column merged_into bigint references incident,
  add check (merged_into is null or state = 'resolved' and merged_into <> id);
create index on incident (merged_into) where merged_into is not null;

alter table incident_task
  add column superseded boolean not null default false; -- since a merge another task of the incident investigates there

create index on incident_alarm (scope, subject, since desc, incident desc);

alter table intake_item add column project bigint references project; -- null: nothing told
update intake_item item set project = task.project from task where task.id = item.task;
update intake_item item set project = source.project from intake_source source
  where source.name = item.source and item.project is null;
create index on intake_item (project, delivery) where project is not null;
