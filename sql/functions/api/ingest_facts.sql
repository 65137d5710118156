create or replace function api.ingest_facts(
    p_body json,
    p_partial boolean,
    p_idempotency_key text,
    p_now timestamptz,
    out answer json,
    out kinds text[],
    out change bigint
)
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_items constant jsonb := internal.read_items(internal.read_body(p_body));
    v_count constant integer := jsonb_array_length(v_items);
    v_store record;
    v_claim record;
    v_rejected jsonb;
    v_conflicts integer := 0;
begin
    change := pg_current_xact_id()::text::bigint;
    if p_idempotency_key is not null then
        v_claim := internal.claim_idempotency_key('ingest_facts', p_idempotency_key, p_body::jsonb, p_now);
        if v_claim.answer is not null then
            answer := v_claim.answer;
            kinds := v_claim.kinds;
            return;
        end if;
    end if;

    v_store := internal.register_and_store_facts(v_items, p_partial, p_now);
    if v_store.bad > 0 then
        v_rejected := internal.explain_items(v_store.bad_items, p_now, 'fact');
        if not p_partial then
            perform internal.refuse_items(v_rejected, v_store.bad, v_count);
        end if;
    end if;
    if v_store.accepted + v_store.bad < v_count then
        v_conflicts := internal.keep_fact_conflicts(v_items, p_now);
    end if;

    answer := internal.receipt_json(
        v_count, v_store.accepted, v_conflicts, v_store.late, v_store.bad, v_rejected
    );
    kinds := v_store.kinds;
    if p_idempotency_key is not null then
        perform internal.complete_idempotency_key('ingest_facts', p_idempotency_key, answer, kinds);
    end if;
end
$$;
comment on function api.ingest_facts(json, boolean, text, timestamptz) is
'Stores one fact item or an array of at most 10000: all or none; with p_partial the good ones.
answer: {accepted, duplicate, conflict, late, rejected}. The first four count items; rejected
lists the rules that refused items break. kinds: the kinds of the good items, stored now
or before; an answer that has not seen the transaction of this number, change, may lack them.
Errors: json_keys_repeated, body_is_items, batch_within_limit, items_refused, source_of_key, series_within_quota,
idempotency_key_reused, refresh_ended.';
