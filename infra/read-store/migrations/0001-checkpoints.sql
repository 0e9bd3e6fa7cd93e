create table checkpoints (
  model text primary key,
  position text not null
);

create table parked_events (
  position text not null,
  model text not null,
  stream text not null,
  revision integer not null,
  type text not null,
  reason text not null,
  parked_at bigint not null,
  primary key (position, model)
);
