-- Samples rolled up: by series and hour, by series and day, by kind and day.
-- All three read the samples: a rollup of a rollup could not carry a sketch.
-- Hours are real-time; days are read below their watermark only, hours above it.

create materialized view data.sample_1h
with (
    timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false
) as
select
    series_id,
    kind_id,
    time_bucket(interval '1 hour', ts) as bucket,
    sum(observations) as count,
    coalesce(sum(observations) filter (where value is not null), 0) as value_count,
    sum(value) as sum,
    var_pop(value) filter (where sketch is null) * count(value) as m2,
    min(case when sketch is null then value else low end) as min,
    max(case when sketch is null then value else high end) as max,
    last(value, ts) filter (where value is not null) as last,
    max(ts) as last_at,
    first(value, ts) filter (where counter) as first,
    internal.increase(array_agg(value order by ts) filter (where counter)) as increase,
    internal.sketch(
        array_agg(internal.bin(value)::bigint << 44 | 1)
        filter (where sketch is null and value is not null)
        || internal.concat(sketch)
    ) as sketch
from data.sample
group by series_id, kind_id, time_bucket(interval '1 hour', ts)
with no data;

create materialized view data.sample_1d
with (
    timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false
) as
select
    series_id,
    kind_id,
    time_bucket(interval '1 day', ts) as bucket,
    sum(observations) as count,
    coalesce(sum(observations) filter (where value is not null), 0) as value_count,
    sum(value) as sum,
    var_pop(value) filter (where sketch is null) * count(value) as m2,
    min(case when sketch is null then value else low end) as min,
    max(case when sketch is null then value else high end) as max,
    last(value, ts) filter (where value is not null) as last,
    max(ts) as last_at,
    first(value, ts) filter (where counter) as first,
    internal.increase(array_agg(value order by ts) filter (where counter)) as increase,
    internal.sketch(
        array_agg(internal.bin(value)::bigint << 44 | 1)
        filter (where sketch is null and value is not null)
        || internal.concat(sketch)
    ) as sketch
from data.sample
group by series_id, kind_id, time_bucket(interval '1 day', ts)
with no data;

create materialized view data.kind_1d
with (
    timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false
) as
select
    kind_id,
    time_bucket(interval '1 day', ts) as bucket,
    sum(observations) as count,
    coalesce(sum(observations) filter (where value is not null), 0) as value_count,
    sum(value) as sum,
    var_pop(value) filter (where sketch is null) * count(value) as m2,
    min(case when sketch is null then value else low end) as min,
    max(case when sketch is null then value else high end) as max,
    last(value, ts) filter (where value is not null) as last,
    max(ts) as last_at,
    internal.sketch(
        array_agg(internal.bin(value)::bigint << 44 | 1)
        filter (where sketch is null and value is not null)
        || internal.concat(sketch)
    ) as sketch
from data.sample
group by kind_id, time_bucket(interval '1 day', ts)
with no data;

create index sample_1h_by_kind on data.sample_1h (kind_id, bucket);
create index sample_1h_by_series on data.sample_1h (series_id, bucket);
create index sample_1d_by_kind on data.sample_1d (kind_id, bucket);
create index sample_1d_by_series on data.sample_1d (series_id, bucket);
create index kind_1d_by_kind on data.kind_1d (kind_id, bucket);

alter materialized view data.sample_1h set (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'series_id, kind_id',
    timescaledb.orderby = 'bucket'
);
alter materialized view data.sample_1d set (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'series_id, kind_id',
    timescaledb.orderby = 'bucket'
);
alter materialized view data.kind_1d set (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'kind_id',
    timescaledb.orderby = 'bucket'
);

comment on view data.sample_1h is 'Samples of a series in an hour; the newest hours from raw.';
comment on view data.sample_1d is 'Samples of a series in a day (UTC), below the watermark.';
comment on view data.kind_1d is 'Samples of a kind in a day (UTC), below the watermark.';

comment on column data.sample_1h.series_id is 'Series.';
comment on column data.sample_1h.kind_id is 'Kind.';
comment on column data.sample_1h.bucket is 'Start of the hour or day, UTC.';
comment on column data.sample_1h.count is 'Observations.';
comment on column data.sample_1h.value_count is 'Observations that have a value.';
comment on column data.sample_1h.sum is 'Sum of the values.';
comment on column data.sample_1h.m2 is 'Sum of squared deviations from the mean; null for histograms.';
comment on column data.sample_1h.min is 'Smallest value.';
comment on column data.sample_1h.max is 'Largest value.';
comment on column data.sample_1h.last is 'Newest value.';
comment on column data.sample_1h.last_at is 'Instant of the newest sample.';
comment on column data.sample_1h.first is 'First reading of a counter.';
comment on column data.sample_1h.increase is
'Growth of a counter from its first to its last reading, resets included.';
comment on column data.sample_1h.sketch is 'Sketch of the values.';
comment on column data.sample_1d.series_id is 'Series.';
comment on column data.sample_1d.kind_id is 'Kind.';
comment on column data.sample_1d.bucket is 'Start of the hour or day, UTC.';
comment on column data.sample_1d.count is 'Observations.';
comment on column data.sample_1d.value_count is 'Observations that have a value.';
comment on column data.sample_1d.sum is 'Sum of the values.';
comment on column data.sample_1d.m2 is 'Sum of squared deviations from the mean; null for histograms.';
comment on column data.sample_1d.min is 'Smallest value.';
comment on column data.sample_1d.max is 'Largest value.';
comment on column data.sample_1d.last is 'Newest value.';
comment on column data.sample_1d.last_at is 'Instant of the newest sample.';
comment on column data.sample_1d.first is 'First reading of a counter.';
comment on column data.sample_1d.increase is
'Growth of a counter from its first to its last reading, resets included.';
comment on column data.sample_1d.sketch is 'Sketch of the values.';
comment on column data.kind_1d.kind_id is 'Kind.';
comment on column data.kind_1d.bucket is 'Start of the hour or day, UTC.';
comment on column data.kind_1d.count is 'Observations.';
comment on column data.kind_1d.value_count is 'Observations that have a value.';
comment on column data.kind_1d.sum is 'Sum of the values.';
comment on column data.kind_1d.m2 is 'Sum of squared deviations from the mean; null for histograms.';
comment on column data.kind_1d.min is 'Smallest value.';
comment on column data.kind_1d.max is 'Largest value.';
comment on column data.kind_1d.last is 'Newest value.';
comment on column data.kind_1d.last_at is 'Instant of the newest sample.';
comment on column data.kind_1d.sketch is 'Sketch of the values.';
