-- In plpgsql, whose plans are kept: every ingest calls it.
create or replace function internal.late_before(p_now timestamptz) returns timestamptz
language plpgsql stable
as $$
begin
    -- An ingest that commits during a refresh, also the first one, may be missing from it. Within 15
    -- minutes after an hour, it has 5 minutes until refresh_rollups may begin with that hour;
    -- refresh_recent waits for it.
    return greatest(
        time_bucket(interval '1 hour', p_now - interval '15 minutes'),
        internal.refresh_threshold(),
        (select announced from data.recent_range),
        -- A snapshot from before its first lock may lack the announcement.
        case when current_setting('transaction_isolation') <> 'read committed' then 'infinity'::timestamptz end
    );
end
$$;
comment on function internal.late_before(timestamptz) is
'Samples older than this may be missing from a finished or running refresh: note them in data.late_hour.
The watermark would not do: it moves only when a refresh ends, and each rollup has its own.';
