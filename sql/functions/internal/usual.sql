create or replace function internal.usual(p_earlier double precision[])
returns table (median double precision, mad double precision)
language sql immutable parallel safe
begin atomic
    with middle as materialized (
        select percentile_cont(0.5) within group (order by value) as median
        from unnest(p_earlier) as value
    )

    select
        min(middle.median),
        percentile_cont(0.5) within group (order by abs(value - middle.median))
    from middle
    cross join unnest(p_earlier) as value;
end;
comment on function internal.usual(double precision[]) is
'What is usual, by earlier values: their median, and their median absolute deviation from it.';
