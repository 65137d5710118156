create or replace function internal.register_and_store_facts(
    p_items jsonb,
    p_partial boolean,
    p_now timestamptz,
    out bad_items jsonb,
    out bad integer,
    out accepted integer,
    out late integer,
    out kinds text[]
)
language plpgsql
as $$
declare
    v_store record := internal.store_facts(p_items, p_partial, p_now, null);
begin
    if v_store.unregistered > 0 and (v_store.bad = 0 or p_partial) then
        perform internal.register_series(internal.unregistered_facts(p_items, p_now), p_now);
        v_store := internal.store_facts(p_items, p_partial, p_now, null);
        if v_store.unregistered > 0 and (v_store.bad = 0 or p_partial) then
            raise exception 'a series that another session registers is not visible yet'
                using errcode = '40001', hint = 'Send the batch again.';
        end if;
    end if;
    perform internal.roll_up_facts(v_store.unsampled, p_now);
    bad_items := v_store.bad_items;
    bad := v_store.bad;
    accepted := v_store.accepted;
    late := v_store.late;
    kinds := v_store.kinds;
end
$$;
comment on function internal.register_and_store_facts(jsonb, boolean, timestamptz) is
'Stores facts as internal.store_facts does, and registers their series first where they are new. Those that
are older than samples are counted in the days at once.
Errors: series_within_quota, refresh_ended.';
