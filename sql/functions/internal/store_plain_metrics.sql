create or replace function internal.store_plain_metrics(
    p_body json, p_plain data.plain_metrics, p_now timestamptz
)
returns json
language plpgsql
as $$
declare
    v_store constant record := internal.store_samples(p_plain, p_now);
    v_conflicts integer := 0;
begin
    -- Duplicates too: the acknowledgement of what stored them may have been lost.
    insert into data.kind_change (kind_id)
    select unnest(p_plain.kind_ids);

    if v_store.different is not null then
        v_conflicts := internal.keep_metric_conflicts(
            internal.pick_items(p_body, v_store.different), p_now
        );
    end if;
    return internal.receipt_json(p_plain.items, v_store.accepted, v_conflicts, v_store.late, 0, null);
end
$$;
comment on function internal.store_plain_metrics(json, data.plain_metrics, timestamptz) is
'Stores a body as read_plain_metrics read it; the answer that api.ingest_metrics returns.';
