-- Incidents: alarms that belong together, the investigations that were begun for them, and the reports of these.

create table incident (
  id           bigint generated always as identity primary key,
  title        text not null,                       -- of its first alarm
  state        text not null default 'open' check (state in ('open', 'settling', 'resolved')),
  first_at     timestamptz not null,                -- of its alarms, by their own word; later than now() counts as now
  last_at      timestamptz not null,
  quiet_at     timestamptz,                         -- since when all of its alarms are over
  resolved_at  timestamptz,
  resolved_by  text,                                -- null: by itself
  resolution   text,
  needs_person text,                                -- why nobody works on it though it is open
  reopened     int not null default 0,
  created_at   timestamptz not null default now(),
  check ((state = 'resolved') = (resolved_at is not null)),
  check (state <> 'settling' or quiet_at is not null)
);
create index incident_unresolved on incident (id) where state <> 'resolved';

create table incident_account (
  incident bigint not null references incident,
  account  text not null,
  primary key (account, incident)
);
create index on incident_account (incident);

create table incident_task (
  task       bigint primary key references task,
  incident   bigint not null references incident,
  project    bigint not null references project,
  dropped_at timestamptz                            -- cancelled since everything was over before it began
);
create index on incident_task (incident, project, task);

create table incident_alarm (
  incident bigint not null references incident,
  scope    text not null,                           -- with the subject, what names the alarm for intake
  subject  text not null,
  account  text not null,
  title    text not null,
  task     bigint not null references task,
  firing   boolean not null,
  fired    int not null default 1,                  -- how often it was told to fire
  since    timestamptz not null,                    -- of its state
  primary key (scope, subject, incident)
);
create index on incident_alarm (incident);

alter table intake_item add column incident bigint references incident;
create index on intake_item (scope, subject, order_at) where subject is not null and order_at is not null;
create index on intake_item (incident, id) where incident is not null;

alter table run add column report jsonb;            -- what an investigation found
alter table task add column environment text;       -- goes before its project's own
