-- Samples: one for each metric reading and one for each fact.

create function internal.bin(p_value double precision) returns integer
language sql immutable strict parallel safe
begin atomic
    select case
        when p_value >= 1e-300 then 40000 + ceil(ln(p_value) / 0.020000666706669543)::integer
        when p_value <= -1e-300 then -40000 - ceil(ln(-p_value) / 0.020000666706669543)::integer
        else 0
    end;
end;
comment on function internal.bin(double precision) is
'Bin of a value in a DDSketch of relative accuracy 0.01 (Masson, Rim, Lee: DDSketch, VLDB 2019).
Bin 40000 + i holds (g^(i-1), g^i], g = 1.01 / 0.99; negative values mirror it, bin 0 is zero.
Bins 100000 and -100000 are the open buckets of histograms: above and below all bounds.';

create function internal.sketch(p_bins bigint[]) returns bigint[]
language sql immutable strict parallel safe
begin atomic
    select array_agg(bin << 44 | n order by bin)
    from (
        select
            entry >> 44 as bin,
            -- A count of more than 44 bits would change the bin.
            least(sum(entry & 17592186044415), 17592186044415)::bigint as n
        from unnest(p_bins) as entry
        group by entry >> 44
    ) as bins;
end;
comment on function internal.sketch(bigint[]) is
'A sketch: one entry bin << 44 | observations per bin, ordered by value.';

create aggregate internal.concat (anycompatiblearray)(
    sfunc = array_cat,
    stype = anycompatiblearray
);
comment on aggregate internal.concat (anycompatiblearray) is 'Concatenates arrays.';

create function internal.increase(p_values double precision[]) returns double precision
language sql immutable strict parallel safe
begin atomic
    select coalesce(sum(case when value >= before then value - before else value end), 0)
    from (
        select
            value,
            lag(value) over (order by place) as before
        from unnest(p_values) with ordinality as reading (value, place)
    ) as readings
    where before is not null;
end;
comment on function internal.increase(double precision[]) is
'Growth of a counter over readings in time order; a lower reading follows a reset to zero.';

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
    sketch bigint[],
    constraint sample_once unique (series_id, ts, seq),
    constraint sample_value_in_range check (abs(value) <= double precision '1e140')
);
select create_hypertable('data.sample', by_range('ts', interval '7 days'), create_default_indexes => false);
-- A series without samples costs a query of its kind nothing.
create index sample_by_kind on data.sample (kind_id, ts);
alter table data.sample set (
    timescaledb.enable_columnstore,
    -- The kind follows from the series; here it is found without decompression.
    timescaledb.segmentby = 'series_id, kind_id',
    timescaledb.orderby = 'ts, seq'
);
comment on table data.sample is
'A value of a series at a time. A histogram is one sample of many observations.';
comment on column data.sample.series_id is 'Series that the sample belongs to.';
comment on column data.sample.kind_id is 'Kind of the series, so that aggregates need no join.';
comment on column data.sample.ts is 'Time of the sample.';
comment on column data.sample.seq is 'Number of the fact; 0 for a metric.';
comment on column data.sample.value is 'The value; the sum of a histogram; null for a fact without a value.';
comment on column data.sample.observations is 'Number of observations: 1, or the count of a histogram.';
comment on column data.sample.counter is 'Whether the value is a reading of a counter.';
comment on column data.sample.low is
'Of a histogram: lower bound of its lowest bucket with observations; -infinity where that is open.';
comment on column data.sample.high is
'Of a histogram: upper bound of its highest bucket with observations; infinity where that is open.';
comment on column data.sample.sketch is 'Sketch of a histogram.';
