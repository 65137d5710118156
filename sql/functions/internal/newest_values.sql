create or replace function internal.newest_values(p_kinds bigint[], p_times timestamptz[])
returns double precision[]
language plpgsql stable
-- The plan does not depend on the arguments, and takes longer to make than to run.
set plan_cache_mode = 'force_generic_plan'
as $$
declare
    v_from constant timestamptz := (select min(asked) from unnest(p_times) as asked);
    v_to constant timestamptz := (select max(asked) from unnest(p_times) as asked);
begin
    perform internal.choose_plans('sample');
    return array(
        select newest.value
        from unnest(p_kinds, p_times) with ordinality as asked (kind_id, ts, place)
        cross join lateral (
            select max(sample.value) as value
            from data.sample
            where
                sample.kind_id = asked.kind_id
                and sample.ts = asked.ts
                -- Excludes chunks before the query begins.
                and sample.ts >= v_from
                and sample.ts <= v_to
        ) as newest
        order by asked.place
    );
end
$$;
comment on function internal.newest_values(bigint[], timestamptz[]) is
'The value of each of p_kinds at its time in p_times, the greatest of several; null where there is none.';
