create or replace function api.query_sla(
    p_window text,
    p_from timestamptz,
    p_to timestamptz,
    p_name text,
    p_timezone text,
    p_as_of timestamptz,
    p_limit integer,
    p_cursor text,
    p_now timestamptz
)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000);
    v_after constant text := internal.read_cursor('sla', p_cursor, '.');
    v_timezone constant text := internal.read_timezone(p_timezone);
    v_server constant bigint := case when p_name is not null then internal.find_server(p_name) end;
    -- What happened later was not known.
    v_as_of constant timestamptz := least(p_as_of, p_now);
    v_to constant timestamptz := least(p_to, v_as_of);
    v_from timestamptz;
    v_servers bigint [];
    v_next text;
    v_items json;
begin
    if p_window is not null and (p_from is not null or p_to is not null) then
        raise exception 'window is combined with %', case when p_from is null then 'to' else 'from' end
            using errcode = 'SV422', constraint = 'window_or_range', column = 'window',
            hint = 'Send window for a time up to now, or from and to for any other.';
    end if;
    perform internal.check_as_of(p_as_of, p_now);
    v_from := coalesce(
        p_from, coalesce(p_to, v_as_of) - internal.parse_window(coalesce(p_window, '30d'))
    );
    perform internal.check_range(v_from, p_to);
    if v_from >= v_as_of then
        raise exception 'from (%) is not before %', v_from, v_as_of
            using errcode = 'SV422', constraint = 'from_in_past', column = 'from',
            hint = 'Send a from that is earlier than now, and than as_of if you send one.';
    end if;

    if v_server is not null then
        v_servers := array[v_server];
    else
        select
            array_agg(page.server_id) filter (where page.place <= v_limit),
            case when count(*) > v_limit then internal.write_cursor(
                'sla', max(page.name) filter (where page.place = v_limit)
            ) end
        into v_servers, v_next
        from (
            select
                server_id,
                name,
                row_number() over (order by name) as place
            from data.server
            where
                (v_after is null or name > v_after)
                and registered_at < v_to
                and (deregistered_at > v_from or deregistered_at is null)
            order by name
            limit v_limit + 1
        ) as page;
    end if;

    select json_agg(
        json_build_object(
            'name', server.name,
            'from', sla.begins_at,
            'to', sla.ends_at,
            'seconds', internal.seconds_json(
                coalesce(sla.up, 0),
                coalesce(sla.degraded, 0),
                coalesce(sla.down, 0),
                coalesce(sla.unknown, 0),
                coalesce(sla.maintenance, 0)
            ),
            'uptime_percent', sla.uptime_percent,
            'coverage_percent', sla.coverage_percent,
            'outages', json_build_object(
                'count', coalesce(sla.outages, 0),
                'longest_seconds', sla.longest_outage,
                'mean_seconds_to_recover', sla.mean_time_to_recover
            ),
            'target_percent', server.sla_target,
            'error_budget', json_build_object(
                'total_seconds', coalesce(sla.budget, 0),
                'used_seconds', coalesce(sla.down, 0),
                'left_seconds', coalesce(sla.budget_left, 0),
                'left_percent', sla.budget_left_percent
            )
        ) order by server.name
    )
    into v_items
    from data.server
    left join internal.measure_sla(v_servers, v_from, v_to, v_as_of) as sla
        on server.server_id = sla.server_id
    where server.server_id = any(v_servers);

    if v_server is not null then
        v_items := json_build_array(internal.join_json(
            v_items -> 0,
            json_build_object(
                'days', internal.sla_days(v_server, v_from, v_to, v_timezone, v_as_of),
                'restatements', internal.restatements_json(v_server, v_from, v_to, v_as_of)
            )
        ));
    end if;
    return json_build_object(
        'window', case when p_from is null and p_to is null then coalesce(p_window, '30d') end,
        'from', v_from,
        'to', v_to,
        'as_of', v_as_of,
        'timezone', v_timezone,
        'items', coalesce(v_items, '[]'),
        'next_cursor', v_next
    );
end
$$;
comment on function api.query_sla(
    text, timestamptz, timestamptz, text, text, timestamptz, integer, text, timestamptz
) is
'Uptime, outages and error budget of servers, by name, in [p_from, p_to) or in p_window up to now, by
default the last 30 days: {window, from, to, as_of, timezone, items, next_cursor}. from and to of an item
are the part in which the server was registered; its seconds by status add up to exactly that. Uptime
and error budget leave unknown time and maintenance out; coverage is the share of known time outside of
maintenance. p_name asks for one server, with a bar for each day of p_timezone and its restatements.
p_as_of answers as at that time, with the maintenance that was known then. A page has p_limit items, by
default 100, at most 1000; next_cursor is null on the last one.
Errors: server_unknown, window_well_formed, window_or_range, from_before_to, from_in_range, from_in_past,
as_of_not_in_future, timezone_known, limit_in_range, cursor_invalid.';
