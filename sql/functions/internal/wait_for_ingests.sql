create or replace function internal.wait_for_ingests() returns void
language plpgsql
set lock_timeout = '10s'
as $$
begin
    -- Every ingest inserts into data.sample and keeps its lock until it commits. One that waits here
    -- takes its snapshot afterwards: it finds the series that are left, and registers those that are not.
    -- Without `only`, the lock would include all chunks, and so wait for jobs.
    lock table only data.sample in share mode;
end
$$;
comment on function internal.wait_for_ingests() is
'Waits until the running ingests have ended, and makes new ones wait until this transaction ends.
Queries go on. Fails after 10 seconds.';
