-- Samples: one for each metric reading and one for each fact.

create function internal.unbounded_bin(p_value double precision) returns double precision
language sql immutable parallel safe
begin atomic
    -- Not strict: a strict function is not inlined here, which costs four times as much.
    select ceil(ln(p_value) / 0.020000666706669543);
end;
comment on function internal.unbounded_bin(double precision) is
'Bin of a value above zero, where there are as many bins as needed; see internal.bin.';

create function internal.bin(p_value double precision) returns integer
language sql immutable parallel safe
begin atomic
    select least(greatest(internal.unbounded_bin(p_value)::integer, -1700), 6000);
end;
comment on function internal.bin(double precision) is
'Bin of a value above zero in a DDSketch of relative accuracy 0.01 (Masson, Rim, Lee: DDSketch, VLDB 2019):
bin i holds (g^(i-1), g^i], g = 1.01 / 0.99. The outermost bins, at 2e-15 and 1e52, hold all that is beyond.';

create function internal.sketch(p_value double precision) returns numeric
language sql immutable parallel safe
begin atomic
    select case
        when p_value > 0 and p_value < 'infinity'
            then ('1e' || (12 * (internal.bin(p_value) + 350))::text)::numeric
    end;
end;
comment on function internal.sketch(double precision) is
'A value above zero as a sketch. A sketch is a number with twelve decimal digits for each bin, which count
its observations: sum() merges sketches. Up to a trillion observations fit into a bin. sum() takes time for
all digits down to the decimal point, so the bin of 1 is near it: 350 bins above. Below it, numeric has
room for 1365.';

create function internal.sketch_other(p_value double precision) returns numeric
language sql immutable parallel safe
begin atomic
    select case
        when p_value = 0 then '1e4212'::numeric
        when p_value = 'infinity' then '1e4224'::numeric
        when p_value = '-infinity' then '1e4236'::numeric
        when p_value < -1
            then ('1e' || (12 * (internal.bin(-p_value) + 353))::text)::numeric
        when p_value < 0
            then ('1e' || (12 * (internal.bin(-p_value) + 350))::text)::numeric
    end;
end;
comment on function internal.sketch_other(double precision) is
'A value that internal.sketch has no bin for, as a sketch of its own: a negative value, zero, or an open
bucket of a histogram (infinity, -infinity). Zero and the open buckets are between the bins of 1 and above,
so that they do not make a number of typical values longer.';

create function internal.increase(p_times timestamptz[], p_values double precision[])
returns double precision
language sql immutable strict parallel safe
begin atomic
    select coalesce(sum(case when value >= before then value - before else value end), 0)
    from (
        select
            value,
            lag(value) over (order by ts) as before
        from unnest(p_times, p_values) as reading (ts, value)
    ) as readings
    where before is not null;
end;
comment on function internal.increase(timestamptz[], double precision[]) is
'Growth of a counter over readings; a lower reading follows a reset to zero.';

create function internal.increase_between(
    p_times timestamptz[], p_first double precision[], p_last double precision[]
)
returns double precision
language sql immutable strict parallel safe
begin atomic
    select coalesce(sum(case when first >= before then first - before else first end), 0)
    from (
        select
            bucket.first,
            lag(bucket.last) over (order by bucket.ts) as before
        from unnest(p_times, p_first, p_last) as bucket (ts, first, last)
    ) as buckets
    where before is not null;
end;
comment on function internal.increase_between(timestamptz[], double precision[], double precision[]) is
'Growth of a counter between buckets, from the last reading of each to the first reading of the next one.';

create aggregate internal.merge_moments (double precision[]) ( -- noqa: PRS
    sfunc = float8_combine,
    stype = double precision[],
    initcond = '{0,0,0}',
    parallel = safe
);
comment on aggregate internal.merge_moments (double precision[]) is
'Merges {count, sum, squared deviations} of parts into those of the whole (Chan, Golub, LeVeque 1979).';

create table data.sample (
    series_id bigint not null,
    kind_id bigint not null,
    ts timestamptz not null,
    seq bigint not null,
    value double precision,
    observations integer not null,
    counter boolean not null,
    low double precision,
    high double precision,
    sketch numeric,
    sketch_other numeric,
    constraint sample_seq_not_negative check (seq >= 0),
    constraint sample_value_in_range check (abs(value) <= double precision '1e140')
);
do $$
begin
    -- The sketches of histograms are compressed in half the time, where the server was built with it.
    if (select 'lz4' = any(enumvals) from pg_settings where name = 'default_toast_compression') then
        alter table data.sample
        alter column sketch set compression lz4,
        alter column sketch_other set compression lz4;
    end if;
end
$$;
select create_hypertable('data.sample', by_range('ts', interval '7 days'), create_default_indexes => false);
-- Two unique indexes, because the pages of a B-tree that grows at the end of each series stay full only while
-- its key has 16 bytes at most.
create unique index sample_once on data.sample (series_id, ts) where seq = 0;
create unique index sample_of_fact_once on data.sample (series_id, ts, seq) where seq > 0;
-- A series without samples costs a query of its kind nothing.
create index sample_by_kind on data.sample (kind_id, ts);
-- A refresh reads all kinds of an hour. Samples arrive in the order of time, and so do their pages.
create index sample_by_time on data.sample using brin (ts)
with (autosummarize = true, pages_per_range = 32);
alter table data.sample set (
    timescaledb.enable_columnstore,
    -- The kind follows from the series; here it is found without decompression.
    timescaledb.segmentby = 'series_id, kind_id',
    timescaledb.orderby = 'ts, seq'
);
do $$
begin
    -- A Bloom filter of (ts, seq), which TimescaleDB would make for the unique index, takes a byte for each
    -- sample. Without an index of our own it has one; with none at all (''), 2.29.2 crashes on a conflict.
    if exists (select from pg_settings where name = 'timescaledb.enable_composite_bloom_indexes') then
        alter table data.sample set (timescaledb.sparse_index = 'minmax(value)');
    end if;
end
$$;
comment on table data.sample is
'A value of a series at a time. A histogram is one sample of many observations.';
comment on column data.sample.series_id is 'Series that the sample belongs to.';
comment on column data.sample.kind_id is 'Kind of the series, so that aggregates need no join.';
comment on column data.sample.ts is 'Time of the sample.';
comment on column data.sample.seq is 'Number of the fact; 0 for a metric.';
comment on column data.sample.value is 'The value; the sum of a histogram; null for a fact without a value.';
comment on column data.sample.observations is 'Number of observations: 1, or the count of a histogram, at most 2147483647.';
comment on column data.sample.counter is 'Whether the value is a reading of a counter.';
comment on column data.sample.low is
'Of a histogram: lower bound of its lowest bucket with observations; -infinity where that is open.';
comment on column data.sample.high is
'Of a histogram: upper bound of its highest bucket with observations; infinity where that is open.';
comment on column data.sample.sketch is
'Sketch of a histogram: of its values above zero; 0 without any, null for any other sample.';
comment on column data.sample.sketch_other is
'Sketch of the other values of a histogram: negative ones, zero, those in open buckets.';
