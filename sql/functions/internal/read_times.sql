create or replace function internal.read_times(
    p_spellings text[], p_arrivals timestamptz[], p_now timestamptz
)
returns table (
    instants timestamptz[], times bigint, oldest timestamptz, newest timestamptz
)
language sql stable parallel safe
begin atomic
    select
        array_agg(field.instant),
        count(field.instant),
        min(field.instant),
        max(field.instant)
    from (
        select internal.read_plain_ts(spelling.ts, coalesce(p_arrivals[spelling.number], p_now)) as instant
        from unnest(p_spellings) with ordinality as spelling (ts, number)
        -- Keeps the planner from computing an expression once for each of its uses.
        offset 0 -- noqa: AM09
    ) as field;
end;
comment on function internal.read_times(text[], timestamptz[], timestamptz) is
'The times of items, as JSON: RFC 3339, or seconds since 1970; null is the time at its place in
p_arrivals, or p_now. times counts those which are times.
Raises data_exception for a date that does not exist and for other JSON.';
