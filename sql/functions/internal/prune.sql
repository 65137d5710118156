create or replace procedure internal.prune(p_job_id integer, p_config jsonb)
language plpgsql
set timezone = 'UTC'
as $$
begin
    delete from data.idempotency_key
    where received_at < now() - (p_config ->> 'idempotency_keys')::interval;
    delete from data.conflict
    where last_received_at < now() - (p_config ->> 'conflicts')::interval;
    -- Ingest refuses facts older than this, so their identities are no longer needed.
    delete from data.fact_identity
    where ts < now() - internal.raw_retention() - interval '1 day';
end
$$;
comment on procedure internal.prune (integer, jsonb) is
'Job: deletes idempotency keys and conflicts older than its config says, and identities of facts that
ingest refuses by their age.';
