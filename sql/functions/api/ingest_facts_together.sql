create or replace function api.ingest_facts_together(
    p_bodies json[],
    p_nows timestamptz[],
    out answers json[],
    out kinds text[],
    out change bigint
)
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
-- Less than it takes to find a deadlock: requests do not wait for what another one of them waits for.
set lock_timeout = '100ms'
as $$
declare
    v_sent constant record := internal.join_requests(p_bodies, p_nows);
    v_store record;
begin
    change := pg_current_xact_id()::text::bigint;
    if cardinality(v_sent.receipts) = cardinality(p_bodies) then
        v_store := internal.store_facts(
            internal.read_items(internal.read_body(v_sent.body)), false, v_sent.oldest, v_sent.nows
        );
        if v_store.accepted < v_sent.items or v_store.late > 0 or v_store.unsampled is not null then
            raise exception 'not all facts are new' using errcode = 'SV000';
        end if;
        answers := v_sent.receipts;
        kinds := v_store.kinds;
    end if;
exception
    -- What is stored by then is not.
    when sqlstate 'SV000' or lock_not_available then
        null;
end
$$;
comment on function api.ingest_facts_together(json[], timestamptz[]) is
'Stores the facts of several requests, with the time of each in p_nows, if all are new facts of registered
series, and none is late. answers: what api.ingest_facts would return to each; null where nothing was
stored, also because another transaction has a lock: each has to be sent alone. kinds and change as of api.ingest_facts.
Errors: json_keys_repeated, batch_within_limit.';
