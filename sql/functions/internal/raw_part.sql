create or replace function internal.raw_part(
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
    if p_from >= p_to then
        return;
    end if;
    -- Executed, so that the times are known when it is planned, which leaves out chunks.
    if p_whole <> '{}' then
        return query execute 'select * from internal.raw_kinds($1, $2, $3, $4)'
        using p_whole, p_from, p_to, p_statistics;
    end if;
    if p_kinds <> '{}' and cardinality(p_series) > 1000 then
        -- The planner looks at each element of an array.
        return query execute
            'select rollup.* from internal.raw_rollup($1, null, $3, $4, $5, $6) as rollup
            where rollup.series_id in (select unnest($2))'
        using p_kinds, p_series, p_from, p_to, p_step, p_statistics;
    elsif p_kinds <> '{}' then
        return query execute 'select * from internal.raw_rollup($1, $2, $3, $4, $5, $6)'
        using p_kinds, p_series, p_from, p_to, p_step, p_statistics;
    end if;
end
$$;
comment on function internal.raw_part(
    bigint[], bigint[], bigint[], timestamptz, timestamptz, interval, text[]
) is
'Buckets of samples that cover [p_from, p_to), for the parts that no rollup has: one for each of p_whole,
steps, or one where p_step is null, of p_kinds by series, of those in p_series unless it is null. What
p_statistics does not name is null, null means all.';
