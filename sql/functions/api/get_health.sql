create or replace function api.get_health(p_name text, p_now timestamptz) returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_server constant bigint := internal.find_registered(p_name);
    -- One instant for the whole answer: another process may have reported after p_now.
    v_now constant timestamptz := greatest(
        p_now,
        (
            select max(greatest(since, last_at))
            from data.health_state
            where server_id = v_server and status <> 'unknown'
        )
    );
begin
    return (
        select json_build_object(
            'server', p_name,
            'status', overall.status,
            'since', overall.since,
            'signals', signals.signals,
            'disagree', signals.disagree,
            'disagreement', signals.disagreement,
            'maintenance', json_build_object(
                'now', (
                    select internal.window_json(maintenance)
                    from data.maintenance
                    where server_id = v_server and recorded @> v_now and during @> v_now
                    order by upper(during) desc, maintenance_id
                    limit 1
                ),
                'next', (
                    select internal.window_json(maintenance)
                    from data.maintenance
                    where server_id = v_server and recorded @> v_now and lower(during) > v_now
                    order by lower(during), maintenance_id
                    limit 1
                )
            ),
            'outages', coalesce(
                (
                    select json_agg(
                        json_build_object(
                            'from', lower(outage.during),
                            'to', case when upper(outage.during) < v_now then upper(outage.during) end,
                            'seconds', extract(epoch from upper(outage.during) - lower(outage.during)),
                            'reasons', outage.reasons
                        )
                        order by outage.during desc
                    )
                    from (
                        select *
                        from internal.outages(
                            array[v_server], v_now - interval '2160 hours', v_now
                        ) as outage
                        order by outage.during desc
                        limit 5
                    ) as outage
                ),
                '[]'
            ),
            'computed_at', v_now
        )
        from internal.current_health(v_now, array[v_server]) as overall
        inner join internal.signal_health(v_now, array[v_server]) as signals
            on overall.server_id = signals.server_id
    );
end
$$;
comment on function api.get_health(text, timestamptz) is
'The health of a server: {server, status, since, signals, disagree, disagreement, maintenance, outages,
computed_at}. signals has what was ever reported of keepalive, traffic and report,
and probe; where that is unknown, its detail says why. streak counts
the newest reports that equal last_status. disagreement is a sentence. maintenance is {now, next}; outages
are the last 5 of 90 days, the newest one first, to is null while one lasts. computed_at is p_now, or the
time of the newest report where that is later.
Errors: server_unknown.';
