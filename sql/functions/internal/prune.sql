create or replace procedure internal.prune(p_job_id integer, p_config jsonb)
language plpgsql
set timezone = 'UTC'
as $$
begin
    delete from data.every_idempotency_key
    where received_at < now() - (p_config ->> 'idempotency_keys')::interval;
    delete from data.conflict
    where last_received_at < now() - (p_config ->> 'conflicts')::interval;
    delete from data.aggregate_restatement
    where restated_at < now() - (p_config ->> 'restatements')::interval;
    delete from data.proof
    where checked_at < now() - (p_config ->> 'proofs')::interval;
    -- Ingest refuses facts older than the retention. Those that are still stored must be found when
    -- somebody raises it again, and of others nobody knows then whether they were counted.
    with forgotten as (
        delete from data.fact_identity
        where ts < least(
            now() - internal.retention('fact') - interval '1 day',
            internal.oldest_chunk('fact'),
            internal.oldest_chunk('sample')
        )
        returning ts
    )
    update data.complete_since
    set since = newest.ts + interval '1 microsecond'
    from (select max(forgotten.ts) as ts from forgotten) as newest
    where complete_since.relation = 'fact_identity' and newest.ts >= complete_since.since;
    delete from data.health_interval
    where upper(during) < now() - (p_config ->> 'health_intervals')::interval;
    delete from data.service_uptime
    where upper(during) < now() - (p_config ->> 'health_intervals')::interval;
    delete from data.delivery
    where coalesce(delivered_at, failed_at) < now() - (p_config ->> 'deliveries')::interval;
    -- A subscription that is not enabled is sent nothing.
    delete from data.outbox
    where due_at < now() - (p_config ->> 'deliveries')::interval;
end
$$;
comment on procedure internal.prune (integer, jsonb) is
'Job: deletes idempotency keys, conflicts, restatements, proofs, intervals of health and deliveries older
than its config says, and identities of facts that are no longer stored and that ingest refuses by their age.';
