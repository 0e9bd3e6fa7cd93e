create table watch_pages (
  video_id text primary key,
  channel_id text not null,
  account_id text not null,
  title text not null,
  description text,
  visibility text not null,
  state text not null,
  progress text not null,
  is_uploaded boolean not null,
  failure_code text,
  takedown_reason text,
  transcode text,
  run integer,
  playable_run integer,
  demuxer text,
  duration_ticks bigint,
  width integer,
  height integer,
  codec text,
  frames_per_second double precision,
  has_audio boolean,
  byte_length bigint,
  file_name text,
  rungs jsonb not null,
  thumbnails jsonb not null,
  storyboard jsonb,
  created_at bigint not null,
  playable_at bigint,
  published_at bigint,
  revision integer not null,
  position text not null
);
create index watch_pages_public on watch_pages (published_at desc, video_id desc)
  where state = 'published' and visibility = 'public';

create table studio_videos (
  video_id text primary key,
  channel_id text not null,
  title text not null,
  visibility text not null,
  state text not null,
  progress text not null,
  failure_code text,
  takedown_reason text,
  transcode text,
  duration_ticks bigint,
  width integer,
  height integer,
  byte_length bigint,
  file_name text,
  thumbnails jsonb not null,
  created_at bigint not null,
  published_at bigint,
  revision integer not null,
  position text not null
);
create index studio_videos_of_channel on studio_videos (channel_id, created_at desc, video_id desc);

create table transcode_progresses (
  video_id text primary key,
  stage text not null,
  bytes_total bigint not null,
  bytes_received bigint not null,
  part_lengths jsonb not null,
  parts_received jsonb not null,
  is_uploaded boolean not null,
  transcode text,
  run integer,
  steps jsonb not null,
  duration_ticks bigint,
  pieces jsonb not null,
  are_pieces_whole boolean not null,
  rungs jsonb not null,
  audio_segments integer not null,
  is_audio_done boolean not null,
  done jsonb not null,
  running jsonb not null,
  failures jsonb not null,
  failure_count integer not null,
  failure_code text,
  is_playable boolean not null,
  cpu_seconds double precision not null,
  position text not null
);

create table moderation_entries (
  entry_id text primary key,
  video_id text not null,
  action text not null,
  reason text,
  actor text not null,
  at bigint not null,
  position text not null
);
create index moderation_entries_newest on moderation_entries (at desc, entry_id desc);
create index moderation_entries_of_video on moderation_entries (video_id, at desc, entry_id desc);

create table channels (
  channel_id text primary key,
  account_id text not null,
  name text not null,
  opened_at bigint not null,
  position text not null
);
