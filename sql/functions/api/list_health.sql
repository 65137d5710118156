create or replace function api.list_health(
    p_status text, p_tag text, p_limit integer, p_cursor text, p_now timestamptz
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
    v_after constant text := internal.read_cursor('health', p_cursor, '.');
    v_page bigint [];
    v_answer json;
begin
    if p_status not in ('up', 'degraded', 'down', 'unknown', 'maintenance') then
        raise exception 'unknown status "%"', left(p_status, 100)
            using errcode = 'SV422', constraint = 'health_status_known', column = 'status',
            hint = 'Send up, degraded, down, unknown or maintenance.';
    end if;
    v_page := array(
        select server_id
        from data.server
        where deregistered_at is null
            and (p_tag is null or tags @> array[p_tag])
            and (v_after is null or name > v_after)
            and (
                p_status is null
                or server_id in (
                    select overall.server_id
                    from internal.overall_status(p_now, null) as overall
                    where overall.status = p_status
                )
            )
        order by name
        limit v_limit + 1
    );
    with page as (
        select
            server.name,
            row_number() over (order by server.name) as place,
            json_build_object(
                'server', server.name,
                'status', overall.status,
                'since', overall.since,
                'keepalive', coalesce(signals.statuses ->> 'keepalive', 'unknown'),
                'probe', signals.statuses ->> 'probe',
                'traffic', coalesce(signals.statuses ->> 'traffic', 'unknown'),
                'report', coalesce(signals.statuses ->> 'report', 'unknown'),
                'disagreement', signals.disagreement
            ) as item
        from internal.current_health(p_now, v_page[:v_limit]) as overall
        inner join data.server on overall.server_id = server.server_id
        inner join internal.signal_health(p_now, v_page[:v_limit]) as signals
            on overall.server_id = signals.server_id
    )
    select json_build_object(
        'items', coalesce(json_agg(item order by place), '[]'),
        'next_cursor', case
            when cardinality(v_page) > v_limit then internal.write_cursor('health', max(name))
        end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_health(text, text, integer, text, timestamptz) is
'Health of the registered servers by name: {items, next_cursor}. An item is {server, status, since,
keepalive, probe, traffic, report, disagreement}. p_status and p_tag filter the list. A page has p_limit
items, by default 100, at most 1000; next_cursor is null on the last one.
Errors: health_status_known, limit_in_range, cursor_invalid.';
