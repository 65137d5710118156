create or replace function internal.store_checked_metrics(
    p_items jsonb, p_partial boolean, p_now timestamptz, out answer json, out kinds text[]
)
language plpgsql
as $$
declare
    v_items constant jsonb := internal.split_samples(p_items);
    v_count constant integer := jsonb_array_length(v_items);
    v_store record := internal.store_metrics(v_items, p_partial, p_now);
    v_new record;
    v_rejected jsonb;
    v_conflicts integer := 0;
begin
    if v_store.unregistered > 0 then
        v_new := internal.unregistered_metrics(v_items, p_now);
        v_store.bad := v_store.bad + v_new.bad;
        v_store.bad_items := coalesce(v_store.bad_items, '[]') || coalesce(v_new.bad_items, '[]');
    end if;
    if v_store.unregistered > 0 and (v_store.bad = 0 or p_partial) then
        perform internal.register_series(v_new.series, p_now);
        v_store := internal.store_metrics(v_items, p_partial, p_now);
        if v_store.unregistered > 0 then
            raise exception 'a series that another session registers is not visible yet'
                using errcode = '40001', hint = 'Send the batch again.';
        end if;
    end if;
    if v_store.bad > 0 then
        v_rejected := internal.explain_items(v_store.bad_items, p_now, 'metric');
        if v_items <> p_items then
            v_rejected := internal.locate_faults(v_rejected, p_items);
        end if;
        if not p_partial then
            perform internal.refuse_items(
                v_rejected, v_store.bad, v_count, case when v_items = p_items then 'item' else 'sample' end
            );
        end if;
    end if;
    if v_store.accepted + v_store.bad < v_count then
        v_conflicts := internal.keep_metric_conflicts(v_items, p_now);
    end if;
    answer := internal.receipt_json(
        v_count, v_store.accepted, v_conflicts, v_store.late, v_store.bad, v_rejected
    );
    kinds := v_store.kinds;
end
$$;
comment on function internal.store_checked_metrics(jsonb, boolean, timestamptz) is
'Stores metric items of any kind, and registers their series first where they are new: the answer and
the kinds that api.ingest_metrics returns.
Errors: items_refused, series_within_quota.';
