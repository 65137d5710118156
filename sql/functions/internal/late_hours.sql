create or replace function internal.late_hours(
    p_kinds bigint[], p_from timestamptz, p_to timestamptz
)
returns table (hours tstzrange, kinds bigint[])
language plpgsql stable
as $$
begin
    return query
    select
        late.hours,
        array_agg(late.kind_id)
    from (
        select
            late_hour.kind_id,
            unnest(
                range_agg(tstzrange(late_hour.bucket, late_hour.bucket + interval '1 hour'))
            ) as hours
        from data.late_hour
        where
            late_hour.kind_id = any(p_kinds)
            and late_hour.bucket >= p_from
            and late_hour.bucket < p_to
        group by late_hour.kind_id
    ) as late
    group by late.hours;
end
$$;
comment on function internal.late_hours(bigint[], timestamptz, timestamptz) is
'Stretches of hours in [p_from, p_to) that got late samples, with the kinds of p_kinds that did.';
