create or replace function internal.show_backlog(p_now timestamptz)
returns table (name text, items bigint, lag interval)
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
begin atomic
    select
        'late_samples' as name,
        coalesce(sum(samples), 0) as items,
        p_now - min(noted_at) as lag
    from data.late_hour
    -- What is above waits for no refresh of late samples, but comes with the next hour.
    where bucket < (select internal.watermark('sample_1h'))
    union all
    select
        'outbox',
        count(*),
        p_now - min(due_at)
    from data.outbox
    union all
    select
        'deliveries',
        count(*),
        p_now - min(created_at)
    from data.delivery
    where delivered_at is null and failed_at is null
    union all
    select
        'refresh of ' || rollup.name,
        null,
        p_now - nullif(internal.watermark(rollup.name), '-infinity')
    from internal.rollups() as rollup;
end;
comment on function internal.show_backlog(timestamptz) is
'What waits: late samples to be rolled up, alerts and facts to be sent, requests to be delivered, and how far
rollups are behind.';
