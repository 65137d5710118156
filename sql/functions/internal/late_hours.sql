create or replace function internal.late_hours(
    p_whole bigint[], p_kinds bigint[], p_series bigint[], p_from timestamptz, p_to timestamptz
)
returns table (hours tstzrange, whole bigint[], kinds bigint[], series bigint[])
language plpgsql stable
as $$
declare
    v_kinds constant bigint [] := p_whole || p_kinds
        || array(select distinct kind_id from data.series where series_id = any(p_series));
begin
    return query
    select
        late.hours,
        array(select unnest(p_whole) intersect select unnest(late.kinds)),
        array(select unnest(p_kinds) intersect select unnest(late.kinds)),
        array(
            select member.series_id
            from data.series as member
            where member.series_id = any(p_series) and member.kind_id = any(late.kinds)
        )
    from (
        select
            late_kind.hours,
            array_agg(late_kind.kind_id) as kinds
        from (
            select
                late_hour.kind_id,
                unnest(
                    range_agg(tstzrange(late_hour.bucket, late_hour.bucket + interval '1 hour'))
                ) as hours
            from data.late as late_hour
            where
                late_hour.kind_id = any(v_kinds)
                and late_hour.bucket >= p_from
                and late_hour.bucket < p_to
            group by late_hour.kind_id
        ) as late_kind
        group by late_kind.hours
    ) as late;
end
$$;
comment on function internal.late_hours(
    bigint[], bigint[], bigint[], timestamptz, timestamptz
) is
'Stretches of hours in [p_from, p_to) that got late samples, with those of the kinds and series that did.';
