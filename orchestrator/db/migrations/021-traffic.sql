-- How far the files of the spool have been read: by the shipper to Elasticsearch, and by the watch for anomalies.
create table spool_position (
  reader   text   not null,
  file     text   not null,                    -- an hour, as 2026-11-21T22.jsonl
  position bigint not null,
  primary key (reader, file)
);

-- What each project has sent outside, by hour and by host: what a later hour, and a host, is held against. '' is who has no identity.
create table traffic_hour (
  project   text        not null,
  hour      timestamptz not null,
  requests  bigint      not null,
  refused   bigint      not null,
  bytes_out bigint      not null,
  told      text[]      not null default '{}', -- anomalies of this hour that are events already
  primary key (project, hour)
);
create table traffic_host (
  project    text        not null,
  host       text        not null,
  first_seen timestamptz not null,
  primary key (project, host)
);
