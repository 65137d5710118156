create or replace function internal.store_own_facts(p_facts jsonb, p_now timestamptz) returns text[]
language plpgsql
as $$
declare
    v_sources constant text := coalesce(current_setting('supervisor.sources', true), '');
    v_kinds text [];
begin
    -- They are of the service, whatever the sender of the request is bound to.
    perform set_config('supervisor.sources', '', true);
    v_kinds := (internal.register_and_store_facts(p_facts, false, p_now)).kinds;
    perform set_config('supervisor.sources', v_sources, true);
    return v_kinds;
end
$$;
comment on function internal.store_own_facts(jsonb, timestamptz) is
'Stores facts that the service finds out; returns their kinds.
Errors: series_within_quota.';
