create or replace function internal.usual(
    p_earlier double precision[], out median double precision, out mad double precision
)
language sql immutable parallel safe
begin atomic
    with ordered as (
        select array_agg(value order by value) as list
        from unnest(p_earlier) as value
    ),

    middle as (
        select internal.array_quantile(list, 0.5) as median
        from ordered
    )

    select
        min(middle.median),
        internal.array_quantile(
            array_agg(abs(value - middle.median) order by abs(value - middle.median)), 0.5
        )
    from middle
    cross join unnest(p_earlier) as value;
end;
comment on function internal.usual(double precision[]) is
'What is usual, by earlier values: their median, and their median absolute deviation from it.';
