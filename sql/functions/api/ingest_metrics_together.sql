create or replace function api.ingest_metrics_together(
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
-- Planning takes longer than a few items do.
set plan_cache_mode = force_generic_plan
-- Less than it takes to find a deadlock: requests do not wait for what another one of them waits for.
set lock_timeout = '100ms'
as $$
declare
    v_sent record;
    v_plain data.plain_metrics;
    v_receipt json;
begin
    -- Before series are read: prune_catalogue may be deleting them.
    lock table only data.sample in row exclusive mode;
    v_sent := internal.join_requests(internal.split_bodies(p_bodies), p_nows);
    v_plain := internal.read_plain_metrics(v_sent.body, v_sent.oldest, v_sent.nows);
    change := pg_current_xact_id()::text::bigint;
    if v_plain.plain and cardinality(v_sent.receipts) = cardinality(p_bodies) then
        v_receipt := internal.store_plain_metrics(v_sent.body, v_plain, v_sent.oldest);
        if (v_receipt ->> 'accepted')::integer < v_sent.items or (v_receipt ->> 'late')::integer > 0 then
            raise exception 'not all samples are new' using errcode = 'SV000';
        end if;
        answers := v_sent.receipts;
        kinds := v_plain.kind_names;
    end if;
exception
    -- What is stored by then is not.
    when sqlstate 'SV000' or lock_not_available or data_exception then
        null;
end
$$;
comment on function api.ingest_metrics_together(json[], timestamptz[]) is
'Stores the metric items of several requests, with the time of each in p_nows, if all are new samples of
registered series, and none is late. answers: what api.ingest_metrics would return to each; null where
nothing was stored, also because another transaction has a lock: each has to be sent alone. kinds and change as of api.ingest_metrics.';
