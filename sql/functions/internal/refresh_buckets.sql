create or replace procedure internal.refresh_buckets(p_rollup name, p_from timestamptz, p_to timestamptz)
language plpgsql
as $$
declare
    c_lock constant bigint := hashtextextended('supervisor-mcp refresh', 0);
    -- The embedded server is one process: it has no other refresh, and no locks of a session.
    c_shared constant boolean := (select count(*) > 1 from pg_stat_activity);
    v_start timestamptz;
begin
    -- A refresh fails while another one runs on the same buckets, and must not read those that its parent
    -- is still writing. It commits, so that only a lock of the session lasts; a job that fails ends its
    -- session.
    if c_shared then
        perform pg_advisory_lock(c_lock);
    end if;
    -- Retention waits until the refresh has read which buckets are invalid, or has run before.
    lock table data.sample in access share mode;
    v_start := greatest(p_from, coalesce(internal.refresh_start(), 'infinity'));
    if v_start < p_to then
        -- It commits in between; newest first, the watermark would pass what is not made yet.
        call refresh_continuous_aggregate(
            'data.' || quote_ident(p_rollup), v_start, p_to,
            options => '{"refresh_newest_first": false}'
        );
    end if;
    -- What is made of these buckets learns at the commit that they have changed.
    commit;
    if c_shared then
        perform pg_advisory_unlock(c_lock);
    end if;
end
$$;
comment on procedure internal.refresh_buckets (name, timestamptz, timestamptz) is
'Refreshes the buckets of a rollup in [p_from, p_to), except those whose samples were dropped: a
refresh would erase them.';
