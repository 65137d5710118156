create or replace function internal.rolling_statistics(
    p_kinds bigint[],
    p_series bigint[],
    p_group_by text,
    p_window interval,
    p_from timestamptz,
    p_to timestamptz,
    p_step interval,
    p_statistics text[]
)
returns table (at timestamptz, statistics data.statistics)
language plpgsql stable
as $$
declare
    -- As in answer_agg: a counter grows series by series; any other kind can be read as a whole.
    v_whole constant bigint [] := array(
        select kind_id from data.kind
        where kind_id = any(p_kinds) and p_series is null and p_group_by is null and type <> 'counter'
    );
    v_by_series constant bigint [] := array(select unnest(p_kinds) except select unnest(v_whole));
begin
    if p_window <= internal.longest_sampled_window() then
        return query
        select * from internal.sampled_statistics(
            p_kinds, p_series, p_group_by, p_window, p_from, p_to, p_step, p_statistics
        );
        return;
    end if;
    return query
    select
        instant.at,
        measured.statistics
    from generate_series(p_from, p_to, p_step) as instant (at)
    cross join lateral (
        select internal.readable_from(date_trunc('hour', instant.at - p_window, 'UTC')) as start
    ) as part
    cross join lateral internal.window_statistics(
        v_whole,
        v_by_series,
        p_series,
        p_group_by,
        array[part.start, instant.at + interval '1 microsecond'],
        array[extract(epoch from instant.at - part.start)::double precision],
        p_statistics,
        false
    ) as measured;
end
$$;
comment on function internal.rolling_statistics(
    bigint[], bigint[], text, interval, timestamptz, timestamptz, interval, text[]
) is
'Statistics of kinds, by group, over a window that ends at each of p_from, p_from + p_step and so on up
to p_to. p_series null means all series. A window of up to internal.longest_sampled_window is read from
samples, exactly as long as it is; a longer one starts on an hour and is read from rollups. p_statistics names those
that are needed.';
