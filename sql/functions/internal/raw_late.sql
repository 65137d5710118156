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
as $$
begin
    -- A query that finds nothing costs its planning.
    if not exists (
        select from data.late
        where kind_id = any(p_whole || p_kinds) and bucket >= p_from and bucket < p_to
    ) then
        return;
    end if;
    -- Executed, so that the series are known when it is planned. One statement for all hours: there may be
    -- hundreds.
    if p_whole <> '{}' then
        return query execute
            'select rollup.*
            from internal.late_hours($1, $2, $3) as late
            cross join lateral internal.raw_kinds(late.kinds, lower(late.hours), upper(late.hours), $4) as rollup'
        using p_whole, p_from, p_to, p_statistics;
    end if;
    if p_kinds <> '{}' then
        return query execute
            'select rollup.*
            from internal.late_hours($1, $2, $3) as late
            cross join lateral internal.raw_rollup(
                late.kinds, case when cardinality($4) <= 1000 then $4 end,
                lower(late.hours), upper(late.hours), $5, $6
            ) as rollup
            where coalesce(cardinality($4), 0) <= 1000 or rollup.series_id in (select unnest($4))'
        using p_kinds, p_from, p_to, p_series, p_step, p_statistics;
    end if;
end
$$;
comment on function internal.raw_late(
    bigint[], bigint[], bigint[], timestamptz, timestamptz, interval, text[]
) is
'As internal.raw_part, for the hours in [p_from, p_to) that got late samples.';
