create or replace function internal.raw_part(
    p_whole bigint[],
    p_kinds bigint[],
    p_series bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval,
    p_sketches boolean
)
returns setof data.rollup
language plpgsql stable
as $$
begin
    -- A query that finds nothing costs its planning.
    if p_from >= p_to then
        return;
    end if;
    if p_whole <> '{}' then
        return query select * from internal.raw_kinds(p_whole, p_from, p_to, p_sketches);
    end if;
    if p_kinds <> '{}' and cardinality(p_series) > 1000 then
        -- The planner looks at each element of an array.
        return query
        select rollup.*
        from internal.raw_rollup(
            p_kinds, null, p_from, p_to, coalesce(p_step, interval '1 hour'), p_sketches
        ) as rollup
        where rollup.series_id in (select unnest(p_series));
    elsif p_kinds <> '{}' then
        return query
        select * from internal.raw_rollup(
            p_kinds, p_series, p_from, p_to, coalesce(p_step, interval '1 hour'), p_sketches
        );
    end if;
end
$$;
comment on function internal.raw_part(
    bigint[], bigint[], bigint[], timestamptz, timestamptz, interval, boolean
) is
'Buckets of samples that cover [p_from, p_to), for the parts that no rollup has: one for each of p_whole,
steps, or hours where p_step is null, of p_kinds by series, of those in p_series unless it is null. The sketches
are null unless p_sketches.';
