-- Rollups: hours of series from samples, days of series and hours of kinds from those, days of kinds from
-- hours of kinds. So samples are read once. Each has the columns of data.rollup, in their order.

create materialized view data.sample_1h
with (
    timescaledb.continuous,
    timescaledb.materialized_only = true,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '7 days'
)
as
-- internal.raw_buckets and internal.raw_kinds have copies of these expressions, which a continuous
-- aggregate cannot share with a function. A test compares the results.
select
    kind_id,
    series_id,
    time_bucket(interval '1 hour', ts) as bucket,
    sum(observations) as observations,
    coalesce(sum(observations) filter (where value is not null), 0) as value_count,
    sum(value) as value_sum,
    var_pop(value) filter (where sketch is null) * count(value) as squared_deviations,
    min(case when sketch is null then value else low end) as value_min,
    max(case when sketch is null then value else high end) as value_max,
    -- In the order of time, then of values. Not last(value, row(ts, value)): parts of such an aggregate
    -- cannot be merged.
    (
        max(array[extract(epoch from ts)::double precision, value])
        filter (where value is not null and sketch is null)
    )[2] as value_last,
    max(ts) filter (where value is not null and sketch is null) as value_last_at,
    max(ts) as last_at,
    first(value, ts) filter (where counter) as value_first,
    min(ts) filter (where counter) as value_first_at,
    internal.increase(
        array_agg(ts) filter (where counter), array_agg(value) filter (where counter)
    ) as increase,
    sum(coalesce(sketch, internal.sketch(value))) as sketch,
    sum(case when sketch is null then internal.sketch_other(value) else sketch_other end) as sketch_other
from data.sample
group by kind_id, series_id, time_bucket(interval '1 hour', ts)
with no data;

-- The other three merge the buckets of another rollup: one text creates them.
do $migration$
declare
    v_rollup record;
    v_column record;
begin
    for v_rollup in
        select *
        from (
            values
            ('sample_1d', 'sample_1h', '1 day', 'kind_id, series_id', 'series_id'),
            ('kind_1h', 'sample_1h', '1 hour', 'kind_id', 'null::bigint as series_id'),
            ('kind_1d', 'kind_1h', '1 day', 'kind_id', 'null::bigint as series_id')
        ) as rollup (name, parent, width, keys, series)
    loop
        execute format(
            $view$
            create materialized view data.%1$I
            with (
                timescaledb.continuous,
                timescaledb.materialized_only = true,
                timescaledb.create_group_indexes = false,
                timescaledb.chunk_interval = %7$L
            ) as
            select
                kind_id,
                %5$s,
                time_bucket(interval %3$L, bucket) as bucket,
                sum(observations)::bigint as observations,
                sum(value_count)::bigint as value_count,
                sum(value_sum) as value_sum,
                case when count(squared_deviations) > 0 then (
                    internal.merge_moments(array[value_count, value_sum, squared_deviations])
                    filter (where value_count > 0 and squared_deviations is not null)
                )[3] end as squared_deviations,
                min(value_min) as value_min,
                max(value_max) as value_max,
                (
                    max(array[extract(epoch from value_last_at)::double precision, value_last])
                    filter (where value_last is not null)
                )[2] as value_last,
                max(value_last_at) as value_last_at,
                max(last_at) as last_at,
                %6$s
                sum(sketch) as sketch,
                sum(sketch_other) as sketch_other
            from data.%2$I
            group by %4$s, time_bucket(interval %3$L, bucket)
            with no data
            $view$,
            v_rollup.name,
            v_rollup.parent,
            v_rollup.width,
            v_rollup.keys,
            v_rollup.series,
            case when v_rollup.name = 'sample_1d' then $series$
                first(value_first, value_first_at) filter (where value_first is not null) as value_first,
                min(value_first_at) as value_first_at,
                sum(increase) + internal.increase_between(
                    array_agg(bucket) filter (where value_first is not null),
                    array_agg(value_first) filter (where value_first is not null),
                    array_agg(value_last) filter (where value_first is not null)
                ) as increase,
            $series$ else $kind$
                -- A counter grows series by series: these mean nothing for a kind.
                null::double precision as value_first,
                null::timestamptz as value_first_at,
                null::double precision as increase,
            $kind$ end,
            case when v_rollup.width = '1 hour' then '7 days' else '70 days' end
        );
    end loop;

    for v_rollup in
        select *
        from (
            values
            ('sample_1h', 'kind_id, series_id', 'Samples of a series in an hour.'),
            ('sample_1d', 'kind_id, series_id', 'Samples of a series in a day, UTC.'),
            ('kind_1h', 'kind_id', 'Samples of a kind in an hour.'),
            ('kind_1d', 'kind_id', 'Samples of a kind in a day, UTC.')
        ) as rollup (name, keys, meaning)
    loop
        execute format(
            $columnstore$
            alter materialized view data.%1$I set (
                timescaledb.enable_columnstore,
                timescaledb.segmentby = %2$L,
                timescaledb.orderby = 'bucket'
            )
            $columnstore$,
            v_rollup.name,
            v_rollup.keys
        );
        execute format('comment on view data.%I is %L', v_rollup.name, v_rollup.meaning);
        for v_column in
            select meaning.*
            from (
                values
                ('series_id', 'Series; null where the bucket contains all series of the kind.'),
                ('kind_id', 'Kind.'),
                ('bucket', 'Start of the hour or day, UTC.'),
                ('observations', 'Number of observations.'),
                ('value_count', 'Number of observations that have a value.'),
                ('value_sum', 'Sum of the values.'),
                ('squared_deviations', 'Sum of squared deviations from the mean; null for histograms.'),
                ('value_min', 'Smallest value; -infinity where a histogram leaves it open.'),
                ('value_max', 'Largest value; infinity where a histogram leaves it open.'),
                ('value_last', 'Newest value, the greatest of several at that time; null for histograms.'),
                ('value_last_at', 'Time of the newest value.'),
                ('last_at', 'Time of the newest sample, with or without a value.'),
                ('value_first', 'First reading of a counter; null for a kind.'),
                ('value_first_at', 'Time of the first reading of a counter.'),
                ('increase', 'Growth of a counter from its first to its last reading, resets included.'),
                ('sketch', 'Sketch of the values above zero.'),
                ('sketch_other', 'Sketch of the other values.')
            ) as meaning (name, text)
            inner join information_schema.columns
                on
                    columns.table_schema = 'data'
                    and columns.table_name = v_rollup.name
                    and columns.column_name = meaning.name
        loop
            execute format('comment on column data.%I.%I is %L', v_rollup.name, v_column.name, v_column.text);
        end loop;
    end loop;
end
$migration$;

create index sample_1h_by_kind on data.sample_1h (kind_id, bucket);
create index sample_1h_by_series on data.sample_1h (series_id, bucket);
create index sample_1d_by_kind on data.sample_1d (kind_id, bucket);
create index sample_1d_by_series on data.sample_1d (series_id, bucket);
create index kind_1h_by_kind on data.kind_1h (kind_id, bucket);
create index kind_1d_by_kind on data.kind_1d (kind_id, bucket);
