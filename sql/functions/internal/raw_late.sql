create or replace function internal.raw_late(
    p_whole bigint[],
    p_kinds bigint[],
    p_series bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval,
    p_statistics text[]
)
returns setof data.rollup
language plpgsql stable
-- As in internal.raw_part.
set plan_cache_mode = 'force_generic_plan'
as $$
begin
    -- A query that finds nothing costs its start.
    if not exists (
        select from data.late_hour
        where kind_id = any(p_whole || p_kinds) and bucket >= p_from and bucket < p_to
    ) then
        return;
    end if;
    perform internal.choose_plans('sample');
    -- One statement for all hours: there may be hundreds.
    if p_whole <> '{}' then
        return query
        select rollup.*
        from internal.late_hours(p_whole, p_from, p_to) as late
        cross join
            lateral internal.raw_kinds(late.kinds, lower(late.hours), upper(late.hours), null, false) as rollup;
    end if;
    if p_kinds <> '{}' and p_series is null then
        return query
        select rollup.*
        from internal.late_hours(p_kinds, p_from, p_to) as late
        cross join
            lateral internal.raw_rollup(
                late.kinds, lower(late.hours), upper(late.hours), p_step, p_statistics
            ) as rollup;
    elsif p_kinds <> '{}' then
        return query
        select rollup.*
        from internal.late_hours(p_kinds, p_from, p_to) as late
        cross join
            lateral internal.raw_buckets(
                late.kinds, p_series, true, lower(late.hours), upper(late.hours), p_step, p_statistics
            ) as rollup;
    end if;
end
$$;
comment on function internal.raw_late(
    bigint[], bigint[], bigint[], timestamptz, timestamptz, interval, text[]
) is
'As internal.raw_part, for the hours in [p_from, p_to) that got late samples.';
