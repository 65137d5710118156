create or replace function api.ingest_facts(
    p_body jsonb,
    p_partial boolean,
    p_idempotency_key text,
    p_now timestamptz,
    out answer json,
    out kinds text[]
)
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_items constant jsonb := internal.read_items(p_body);
    v_store record;
    v_claim record;
    v_conflicts integer := 0;
begin
    if p_idempotency_key is not null then
        v_claim := internal.claim_receipt('ingest_facts', p_idempotency_key, p_body, p_now);
        if v_claim.answer is not null then
            answer := v_claim.answer;
            kinds := v_claim.kinds;
            return;
        end if;
    end if;

    v_store := internal.store_facts(v_items, p_partial, p_now);
    if v_store.unregistered > 0 and (v_store.rejected = '[]' or p_partial) then
        perform internal.register_series(internal.unregistered_facts(v_items, p_now), p_now);
        v_store := internal.store_facts(v_items, p_partial, p_now);
        if v_store.unregistered > 0 and (v_store.rejected = '[]' or p_partial) then
            raise exception 'Series that another session registered cannot be seen yet.'
                using errcode = '40001', hint = 'Send the batch again.';
        end if;
    end if;
    if v_store.rejected <> '[]' and not p_partial then
        perform internal.refuse_items(v_store.rejected, jsonb_array_length(v_items));
    end if;
    if v_store.accepted + jsonb_array_length(v_store.rejected) < jsonb_array_length(v_items) then
        v_conflicts := internal.keep_fact_conflicts(v_items, p_now);
    end if;

    answer := internal.receipt(v_items, v_store.accepted, v_conflicts, v_store.late, v_store.rejected);
    kinds := v_store.kinds;
    if p_idempotency_key is not null then
        perform internal.write_receipt('ingest_facts', p_idempotency_key, answer, kinds);
    end if;
end
$$;
comment on function api.ingest_facts(jsonb, boolean, text, timestamptz) is
'Stores one fact item or an array of at most 10000, all or nothing; with p_partial the good ones.
answer: {accepted, duplicate, conflict, late, rejected}; kinds: the kinds that got facts.
Errors: body_is_items, batch_within_limit, items_refused, series_within_quota,
idempotency_key_reused.';
