create or replace function internal.signal_health(p_now timestamptz, p_servers bigint[])
returns table (
    server_id bigint,
    signals json,
    statuses jsonb,
    disagree boolean,
    disagreement text
)
language sql stable
begin atomic
    with signal as (
        select
            state.server_id,
            state.signal,
            state.latency_ms,
            state.recent,
            known.is_so,
            array_position('{keepalive,probe,traffic,report}', state.signal) as place,
            nullif(state.last_at, '-infinity') as last_at,
            nullif(state.expires_at, '-infinity') as expires_at,
            state.recent[cardinality(state.recent)] as last_status,
            case when known.is_so then state.status else 'unknown' end as status,
            case
                when known.is_so or state.status = 'unknown' then state.since
                else state.expires_at
            end as since,
            case
                when state.signal = 'probe' and not known.is_so then internal.probe_reason(state.server_id)
                else state.detail
            end as detail
        from (
            select
                server_id,
                signal,
                status,
                since,
                last_at,
                expires_at,
                recent,
                latency_ms,
                detail
            from data.health_state
            where server_id = any(p_servers)
            union all
            -- A probe that has found nothing yet is shown with the reason.
            select
                server.server_id,
                'probe',
                'unknown',
                internal.registered_since(server.server_id),
                null,
                null,
                '{}',
                null,
                null
            from data.every_server as server
            where
                server.server_id = any(p_servers)
                and not exists (
                    select from data.health_state as probed
                    where probed.server_id = server.server_id and probed.signal = 'probe'
                )
        ) as state
        cross join lateral (values (state.status <> 'unknown' and state.expires_at > p_now)) as known (is_so)
    )

    select
        signal.server_id,
        json_agg(
            json_build_object(
                'signal', signal.signal,
                'status', signal.status,
                'since', signal.since,
                'last_at', signal.last_at,
                'expires_at', signal.expires_at,
                'last_status', signal.last_status,
                -- How many of the newest reports say the same.
                'streak', cardinality(signal.recent) - coalesce(
                    (
                        select max(report.n)
                        from unnest(signal.recent) with ordinality as report (status, n)
                        where report.status <> signal.last_status
                    ),
                    0
                ),
                'latency_ms', signal.latency_ms,
                'detail', signal.detail
            )
            order by signal.place
        ),
        jsonb_object_agg(signal.signal, signal.status),
        count(distinct signal.status) filter (where signal.is_so) > 1,
        case
            when count(distinct signal.status) filter (where signal.is_so) > 1
                then
                    string_agg(
                        internal.signal_words(signal.signal, signal.status, signal.detail), ', '
                        order by signal.place
                    ) filter (where signal.is_so)
        end
    from signal
    group by signal.server_id;
end;
comment on function internal.signal_health(timestamptz, bigint[]) is
'The signals of servers that were ever reported and the probe, which has a reason as detail where it is
unknown; whether those that are known disagree, and a sentence
that says so.';
