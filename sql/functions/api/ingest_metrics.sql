create or replace function api.ingest_metrics(
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
-- Planning takes longer than a small batch does; five plans for given arguments would come first.
set plan_cache_mode = force_generic_plan
as $$
declare
    v_plain data.plain_metrics;
    v_items jsonb;
    v_claim record;
    v_stored record;
begin
    -- Before series are read: prune_catalogue may be deleting them.
    lock table only data.sample in row exclusive mode;
    change := pg_current_xact_id()::text::bigint;
    -- Most batches are longer.
    if p_idempotency_key is null and pg_column_size(p_body) < 2000 then
        select item.answer, item.kinds into answer, kinds
        from internal.store_plain_item(p_body, p_now) as item;
        if answer is not null then
            return;
        end if;
    end if;
    v_plain := internal.read_plain_metrics(p_body, p_now, null);
    if not v_plain.plain then
        v_items := internal.read_items(internal.read_body(p_body));
    end if;
    if p_idempotency_key is not null then
        v_claim := internal.claim_idempotency_key('ingest_metrics', p_idempotency_key, p_body::jsonb, p_now);
        if v_claim.answer is not null then
            answer := v_claim.answer;
            kinds := v_claim.kinds;
            return;
        end if;
    end if;

    if v_plain.plain then
        answer := internal.store_plain_metrics(p_body, v_plain, p_now);
        kinds := v_plain.kind_names;
    else
        v_stored := internal.store_checked_metrics(v_items, p_partial, p_now);
        answer := v_stored.answer;
        kinds := v_stored.kinds;
    end if;
    if p_idempotency_key is not null then
        perform internal.complete_idempotency_key('ingest_metrics', p_idempotency_key, answer, kinds);
    end if;
end
$$;
comment on function api.ingest_metrics(json, boolean, text, timestamptz) is
'Stores one metric item or an array of them, at most 10000: all or none; with p_partial the good ones. An
item whose ts and value are arrays of the same length is as many items.
answer: {accepted, duplicate, conflict, late, rejected}. The first four count items; rejected
lists the rules that refused items break. kinds: the kinds of the good items, stored now
or before; an answer that has not seen the transaction of this number, change, may lack them.
Errors: json_keys_repeated, body_is_items, batch_within_limit, items_refused, source_of_key, series_within_quota,
idempotency_key_reused.';
