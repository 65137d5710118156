create or replace function internal.record_health(
    p_reports data.health_report[],
    p_now timestamptz,
    out accepted integer,
    out duplicate integer,
    out late integer
)
language plpgsql
as $$
declare
    v_first bigint [];
    v_from timestamptz;
    v_to timestamptz;
begin
    select min(ts), max(ts) into v_from, v_to from unnest(p_reports);

    v_first := array(
        select report.server_id
        from unnest(p_reports) as report
        where
            not exists (
                select from data.health_state as known
                where known.server_id = report.server_id and known.signal = report.signal
            )
    );
    if v_first <> '{}' then
        -- What ended or began since the statement before is seen by the next one.
        v_first := array(select internal.hold_registrations(v_first));
        insert into data.health_state (
            server_id, signal, status, since, last_at, expires_at, recent
        )
        select distinct
            report.server_id, report.signal, 'unknown', internal.registered_since(report.server_id),
            timestamptz '-infinity', timestamptz '-infinity', '{}'::text []
        from unnest(p_reports) as report
        where report.server_id = any(v_first)
        order by report.server_id, report.signal
        -- Another call was first, a moment ago.
        on conflict (server_id, signal) do nothing;
    end if;
    -- Every batch locks the states in this order: batches wait for each other and do not deadlock.
    perform
    from data.health_state
    where (server_id, signal) in (select server_id, signal from unnest(p_reports))
    order by server_id, signal
    for no key update;

    with report as (
        select
            *,
            -- A clock that is ahead must not make the reports of others late.
            least(ts, p_now) as at
        from unnest(p_reports) with ordinality as sent (
            server_id, signal, ts, status, reporter, latency_ms, detail, received_at, place
        )
    ),
    fresh as materialized (
        select distinct on (server_id, signal, ts, reporter, status, latency_ms, detail) report.*
        from report
        where
            not exists (
                select from data.health_report as known
                where
                    known.server_id = report.server_id
                    and known.signal = report.signal
                    and known.ts = report.ts
                    and (known.status, known.reporter, known.latency_ms, known.detail)
                    is not distinct from
                    (report.status, report.reporter, report.latency_ms, report.detail)
                    and known.ts between v_from and v_to
            )
        order by server_id, signal, ts, reporter, status, latency_ms, detail, place
    ),
    stored as (
        insert into data.health_report (
            server_id, signal, ts, status, reporter, latency_ms, detail, received_at
        )
        select server_id, signal, ts, status, reporter, latency_ms, detail, received_at
        from fresh
    ),
    step as materialized (
        select
            fresh.*,
            internal.health_after(
                (
                    state.status, state.since, state.last_at, state.expires_at, state.recent, state.reason,
                    null, null, null
                )::data.health_step,
                fresh.status, fresh.at, fresh.detail,
                server.failures_to_down, server.successes_to_recover,
                internal.health_lasts(fresh.signal, server.keepalive_seconds)
            ) over (
                partition by fresh.server_id, fresh.signal
                order by fresh.at, fresh.place
                rows unbounded preceding
            ) as after,
            row_number() over (
                partition by fresh.server_id, fresh.signal order by fresh.at desc, fresh.place desc
            ) as nth_newest,
            max(fresh.at) filter (where fresh.status <> 'down') over (
                partition by fresh.server_id, fresh.signal
            ) as seen_at
        from fresh
        inner join data.health_state as state
            on fresh.server_id = state.server_id and fresh.signal = state.signal
        inner join data.every_server as server on fresh.server_id = server.server_id
        -- An unknown state begins where a job ended the one before.
        where fresh.at >= greatest(state.last_at, state.since)
    ),
    ended as (
        insert into data.health_interval (server_id, signal, status, during, reason)
        select server_id, signal, (after).ended_status, (after).ended, (after).ended_reason
        from step
        where (after).ended_status is not null
    ),
    moved as (
        update data.health_state as state
        set
            status = (step.after).status,
            since = (step.after).since,
            last_at = (step.after).last_at,
            seen_at = coalesce(step.seen_at, state.seen_at),
            expires_at = (step.after).expires_at,
            recent = (step.after).recent,
            reason = (step.after).reason,
            latency_ms = step.latency_ms,
            detail = step.detail
        from step
        where
            state.server_id = step.server_id and state.signal = step.signal and step.nth_newest = 1
    )
    select
        count(*),
        cardinality(p_reports) - count(*),
        count(*) - (select count(*) from step)
    into accepted, duplicate, late
    from fresh;
end
$$;
comment on function internal.record_health(data.health_report[], timestamptz) is
'Stores reports and moves the states of their signals, in the order of their times. A report that is
stored with the same content is a duplicate. late counts those of accepted that are older than the
newest report of their signal, or than an expiry that was noted: they are stored and move nothing.';
