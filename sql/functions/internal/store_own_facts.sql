create or replace function internal.store_own_facts(p_facts jsonb, p_now timestamptz) returns text[]
language plpgsql
-- They are of the service, whatever the sender of the request is bound to.
set "supervisor.sources" = ''
as $$
begin
    return (internal.register_and_store_facts(p_facts, false, p_now)).kinds;
end
$$;
comment on function internal.store_own_facts(jsonb, timestamptz) is
'Stores facts that the service finds out; returns their kinds.
Errors: series_within_quota.';
