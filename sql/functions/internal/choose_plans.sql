create or replace function internal.choose_plans(p_relation name) returns void
language plpgsql volatile
as $$
declare
    v_dimension constant integer := internal.dimension_id(p_relation);
    v_chunks constant bigint := (
        select count(*) from _timescaledb_catalog.dimension_slice
        where dimension_id = v_dimension
    );
begin
    -- A plan that is kept has all chunks: each run locks all of them, and takes 10 us to leave one out.
    if v_chunks > 32 then
        perform set_config('plan_cache_mode', 'force_custom_plan', true);
    end if;
end
$$;
comment on function internal.choose_plans(name) is
'Where a hypertable of data has many chunks, the plans of a function that sets plan_cache_mode are made for
the arguments of each call, until it returns.';
