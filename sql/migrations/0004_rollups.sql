-- Rollups of samples: by series and hour, by series and day, by kind and day.
-- All three read the samples: a rollup of a rollup would have to wait for its parent's refresh.
-- Hours are real-time. Days are read below their watermark only, hours above it.

-- A continuous aggregate needs its expressions written out, and three of them the same ones: one
-- text creates all three. internal.raw_rollup is the only other copy; a test compares the two.
do $migration$
declare
    v_rollup record;
    v_column record;
begin
    for v_rollup in
        select *
        from (
            values
            ('sample_1h', '1 hour', false, 'series_id, kind_id', 'Samples of a series in an hour.'),
            ('sample_1d', '1 day', true, 'series_id, kind_id', 'Samples of a series in a day, UTC.'),
            ('kind_1d', '1 day', true, 'kind_id', 'Samples of a kind in a day, UTC.')
        ) as rollup (name, width, materialized_only, keys, meaning)
    loop
        execute format(
            $view$
            create materialized view data.%1$I
            with (
                timescaledb.continuous,
                timescaledb.materialized_only = %2$s,
                timescaledb.create_group_indexes = false
            ) as
            select
                %3$s,
                time_bucket(interval %4$L, ts) as bucket,
                sum(observations) as observations,
                coalesce(sum(observations) filter (where value is not null), 0) as value_count,
                sum(value) as value_sum,
                var_pop(value) filter (where sketch is null) * count(value) as squared_deviations,
                min(case when sketch is null then value else low end) as value_min,
                max(case when sketch is null then value else high end) as value_max,
                last(value, row(ts, value)) filter (where value is not null and sketch is null) as value_last,
                max(ts) filter (where value is not null and sketch is null) as value_last_at,
                max(ts) as last_at,
                %5$s
                internal.sketch(
                    array_agg(internal.bin(value)::bigint << 44 | 1)
                    filter (where sketch is null and value is not null)
                    || internal.concat(sketch)
                ) as sketch
            from data.sample
            group by %3$s, time_bucket(interval %4$L, ts)
            with no data
            $view$,
            v_rollup.name,
            v_rollup.materialized_only,
            v_rollup.keys,
            v_rollup.width,
            -- A counter grows series by series: these mean nothing for a kind.
            case when v_rollup.name <> 'kind_1d' then $series$
                first(value, ts) filter (where counter) as value_first,
                min(ts) filter (where counter) as value_first_at,
                internal.increase(array_agg(value order by ts) filter (where counter)) as increase,
            $series$ end
        );
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
                ('series_id', 'Series.'),
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
                ('value_first', 'First reading of a counter.'),
                ('value_first_at', 'Time of the first reading of a counter.'),
                ('increase', 'Growth of a counter from its first to its last reading, resets included.'),
                ('sketch', 'Sketch of the values.')
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
create index kind_1d_by_kind on data.kind_1d (kind_id, bucket);
