-- Recent hours: what no rollup has yet, rolled up every few minutes.

-- In the order of data.rollup: rows of it are stored as they are.
create table data.recent_hour (like data.rollup);
alter table data.recent_hour
alter column kind_id set not null,
alter column bucket set not null;
create index recent_hour_by_kind on data.recent_hour (kind_id, series_id, bucket);
comment on table data.recent_hour is
'Samples of a series, or of a kind, in an hour that no rollup has yet; of the newest hour, only those before
data.recent_range.ends.';
comment on column data.recent_hour.series_id is
'Series; null where the hour contains all series of the kind.';
comment on column data.recent_hour.kind_id is 'Kind.';
comment on column data.recent_hour.bucket is 'Start of the hour, UTC.';
comment on column data.recent_hour.observations is 'Number of observations.';
comment on column data.recent_hour.value_count is 'Number of observations that have a value.';
comment on column data.recent_hour.value_sum is 'Sum of the values.';
comment on column data.recent_hour.squared_deviations is
'Sum of squared deviations from the mean; null for histograms.';
comment on column data.recent_hour.value_min is 'Smallest value; -infinity where a histogram leaves it open.';
comment on column data.recent_hour.value_max is 'Largest value; infinity where a histogram leaves it open.';
comment on column data.recent_hour.value_last is
'Newest value, the greatest of several at that time; null for histograms.';
comment on column data.recent_hour.value_last_at is 'Time of the newest value.';
comment on column data.recent_hour.last_at is 'Time of the newest sample, with or without a value.';
comment on column data.recent_hour.value_first is 'First reading of a counter; null for a kind.';
comment on column data.recent_hour.value_first_at is 'Time of the first reading of a counter.';
comment on column data.recent_hour.increase is
'Growth of a counter from its first to its last reading, resets included.';
comment on column data.recent_hour.sketch is 'Sketch of the values above zero.';
comment on column data.recent_hour.sketch_other is 'Sketch of the other values.';

create table data.recent_range (
    begins timestamptz not null,
    ends timestamptz not null,
    announced timestamptz not null,
    kinds bigint[] not null default '{}',
    constraint recent_range_ordered check (begins <= ends and ends <= announced)
);
create unique index recent_range_once on data.recent_range ((true));
insert into data.recent_range (begins, ends, announced) values ('-infinity', '-infinity', '-infinity');
comment on table data.recent_range is 'Which samples data.recent_hour contains: one row.';
comment on column data.recent_range.begins is 'Start of the oldest hour: the watermark of the rollups.';
comment on column data.recent_range.ends is 'Samples from this time on are not in data.recent_hour.';
comment on column data.recent_range.announced is
'Up to where the next refresh reads: ingest notes older samples in data.late_hour.';
comment on column data.recent_range.kinds is 'The kinds that are there: those with many samples.';
