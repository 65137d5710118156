create or replace function internal.answer_agg(
    p_kinds integer[],
    p_series integer[],
    p_window text,
    p_group_by text,
    p_now timestamptz
)
returns table (kind_id integer, answer json)
language plpgsql stable
as $$
declare
    v_window constant interval := internal.read_window(p_window);
    v_unit constant text := case when v_window < interval '7 days' then 'minute' else 'hour' end;
    v_from constant timestamptz := date_trunc(v_unit, p_now - v_window, 'UTC');
    v_before constant timestamptz := date_trunc(v_unit, v_from - (p_now - v_from), 'UTC');
    -- Samples may be 5 minutes ahead of the clock: what was accepted is answered.
    v_to constant timestamptz := date_trunc('hour', p_now + interval '5 minutes', 'UTC') + interval '1 hour';
    v_seconds constant double precision := extract(epoch from p_now - v_from);
    v_whole integer [];
    v_single integer [];
begin
    -- A counter grows series by series; all else can be read by whole kinds.
    select
        coalesce(array_agg(kind.kind_id) filter (where kind.type <> 'counter' and p_series is null), '{}')
    into v_whole
    from data.kind
    where kind.kind_id = any(p_kinds);
    v_single := array(
        select series.series_id
        from data.series
        where series.kind_id = any(p_kinds)
            and series.kind_id <> all(v_whole)
            and (p_series is null or series.series_id = any(p_series))
    );

    return query
    with present as materialized (
        select * from internal.core(v_whole, v_single, null, v_from, v_to, v_seconds)
    ),
    past as materialized (
        select * from internal.core(
            v_whole, v_single, null, v_before, v_from, extract(epoch from v_from - v_before)
        )
    ),
    grouped as materialized (
        select
            member.kind_id,
            json_agg(
                internal.group_json(member::data.core)
                order by member.count desc, member.label
            ) as groups
        from internal.core(
            '{}',
            array(
                select series_id from data.series
                where series.kind_id = any(p_kinds)
                    and (p_series is null or series.series_id = any(p_series))
            ),
            p_group_by, v_from, v_to, v_seconds
        ) as member
        where p_group_by is not null
        group by member.kind_id
    )
    select
        kind.kind_id,
        json_build_object(
            'kind', kind.name,
            'type', kind.type,
            'unit', kind.unit,
            'window', p_window,
            'from', v_from,
            'to', p_now,
            'count', coalesce(present.count, 0),
            'sum', present.sum,
            'avg', present.avg,
            'min', present.min,
            'max', present.max,
            'stddev', present.stddev,
            'last', present.last,
            'p50', present.p50,
            'p90', present.p90,
            'p95', present.p95,
            'p99', present.p99,
            'rate_per_second', coalesce(present.rate_per_second, 0),
            'previous', internal.core_json(past::data.core, v_before, v_from),
            'change', internal.change(present::data.core, past::data.core),
            'groups', coalesce(grouped.groups, '[]'),
            'freshness', json_build_object(
                'watermark', nullif(internal.watermark('sample_1h'), '-infinity'),
                'newest', present.newest,
                'late_pending', (
                    select coalesce(sum(late.samples), 0)
                    from data.late
                    where late.kind_id = kind.kind_id
                        and late.bucket < internal.watermark('sample_1h')
                )
            ),
            'error_bound', case when kind.type <> 'histogram' then 0.01 end,
            'computed_at', p_now
        )
    from data.kind
    left join present on kind.kind_id = present.kind_id
    left join past on kind.kind_id = past.kind_id
    left join grouped on kind.kind_id = grouped.kind_id
    where kind.kind_id = any(p_kinds);
end
$$;
comment on function internal.answer_agg(integer[], integer[], text, text, timestamptz) is
'The answer of /query/agg for each of these kinds; p_series null means all of their series.
Windows of 7 days and more start on an hour, shorter ones on a minute; error_bound is the relative
error of percentiles, null for histograms, whose senders chose the bounds.';
