create or replace function internal.traffic_reports(p_config jsonb, p_now timestamptz)
returns data.health_report[]
language sql stable
begin atomic
    with series_calls as materialized (
        select
            sample.series_id,
            -- The samples of a histogram count what happened since the one before; a counter adds up.
            coalesce(
                internal.increase(
                    array_agg(sample.ts) filter (where sample.counter),
                    array_agg(sample.value) filter (where sample.counter)
                ),
                sum(sample.observations)
            ) as calls
        from data.sample
        where
            sample.kind_id = (
                select kind.kind_id from data.kind
                where kind.name = p_config ->> 'metric'
            )
            and sample.ts > p_now - (p_config ->> 'window')::interval
            and sample.ts <= p_now
        group by sample.series_id
    ),

    source_calls as (
        select
            series.source_id,
            sum(series_calls.calls) as calls,
            coalesce(
                sum(series_calls.calls) filter (
                    where jsonb_path_exists(series.labels, (p_config ->> 'failed')::jsonpath)
                ),
                0
            ) as errors
        from series_calls
        inner join data.series on series_calls.series_id = series.series_id
        group by series.source_id
    )

    select
        array_agg(
            row(
                server.server_id, 'traffic', p_now,
                case
                    when errors >= (p_config ->> 'down')::double precision * calls then 'down'
                    when errors >= (p_config ->> 'degraded')::double precision * calls then 'degraded'
                    else 'up'
                end,
                null, null,
                trim_scale(round((100 * errors / calls)::numeric, 1)) || ' % errors ('
                || round(errors::numeric) || ' of ' || round(calls::numeric) || ' calls)',
                p_now
            )::data.health_report
        )
    from source_calls
    inner join data.source on source_calls.source_id = source.source_id
    inner join data.server on source.name = server.source and server.deregistered_at is null
    where source_calls.calls >= greatest((p_config ->> 'least_calls')::integer, 1);
end;
comment on function internal.traffic_reports(jsonb, timestamptz) is
'What callers of the servers that send metrics see: a report for each with its share of errors. p_config
is that of the job observe_traffic. A server with fewer calls than least_calls has none.';
