create or replace procedure internal.prune(p_job_id integer, p_config jsonb)
language plpgsql
as $$
begin
    delete from data.receipt
    where received_at < now() - (p_config ->> 'receipts')::interval;
    -- A fact older than what ingest takes cannot come again.
    delete from data.fact_identity
    where ts < now() - internal.raw_retention() - interval '1 day';
end
$$;
comment on procedure internal.prune (integer, jsonb) is
'Job: forgets receipts past the age in its config, and identities of facts that cannot come again.';
