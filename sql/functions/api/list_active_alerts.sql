create or replace function api.list_active_alerts(
    p_state text,
    p_rule text,
    p_id text,
    p_server text,
    p_labels jsonb,
    p_suppressed boolean,
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
    v_after constant text := internal.read_cursor('alerts', p_cursor, '^[1-4]/-?\d{1,17}/.');
    v_about constant jsonb [] := case
        when p_server is not null then internal.server_labels(p_server)
    end;
    v_answer json;
begin
    if p_state not in ('pending', 'firing') then
        raise exception 'unknown state "%"', left(p_state, 100)
            using errcode = 'SV422', constraint = 'alert_state_known', column = 'state',
            hint = 'Send pending or firing; list_alert_history (GET /alerts/history) has resolved alerts.';
    end if;
    if p_rule is not null then
        perform internal.find_alert_rule(p_rule, 'rule');
    end if;
    with page as (
        select
            active.*,
            row_number() over (order by active.rank, active.starts, active.id) as place
        from (
            select
                shown.*,
                coalesce(array_position('{critical,warning,info}', shown.severity), 4) as rank,
                (extract(epoch from shown.active_at) * 1000000)::bigint as starts
            from internal.show_alerts(p_now) as shown
            where
                shown.state = coalesce(p_state, shown.state)
                and shown.rule = coalesce(p_rule, shown.rule)
                and shown.id = coalesce(p_id, shown.id)
                and (p_server is null or shown.labels @> any(v_about))
                and shown.labels @> coalesce(p_labels, '{}')
                and shown.suppressed = coalesce(p_suppressed, shown.suppressed)
        ) as active
        where
            v_after is null
            or (active.rank, active.starts, active.id)
            > (
                split_part(v_after, '/', 1)::integer,
                split_part(v_after, '/', 2)::bigint,
                split_part(v_after, '/', 3)
            )
        order by active.rank, active.starts, active.id
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(
            json_agg(
                json_build_object(
                    'id', id,
                    'rule', rule,
                    'version', version,
                    'severity', severity,
                    'state', state,
                    'labels', labels,
                    'annotations', annotations,
                    'value', value,
                    'active_at', active_at,
                    'fired_at', fired_at,
                    'recovering_at', recovering_at,
                    'ack', ack,
                    'suppressed', suppressed,
                    'silenced_by', silenced_by,
                    'inhibited_by', inhibited_by,
                    'maintenance', maintenance,
                    'evidence', evidence
                )
                order by place
            ) filter (where place <= v_limit),
            '[]'
        ),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'alerts', max(rank || '/' || starts || '/' || id) filter (where place = v_limit)
        ) end,
        'hint', case when count(*) = 0 then internal.label_hint(array(select jsonb_object_keys(p_labels))) end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_active_alerts(
    text, text, text, text, jsonb, boolean, integer, text, timestamptz
) is
'Alerts that are pending or firing, by severity and then the longest first: {items: [{id, rule, version,
severity, state, labels, annotations, value, active_at, fired_at, recovering_at, ack, suppressed,
silenced_by, inhibited_by, maintenance, evidence}], next_cursor, hint}. value and evidence are those of the
last change of state. ack is {author, at, until, note} or null. A suppressed alert notifies nobody:
silenced_by has the ids of its silences, inhibited_by those of alerts of a higher severity about the same,
maintenance those of windows. p_id asks for the one with this id, p_server for those about a server or its
source, p_labels for those with all of these labels; hint says which of them no alert and no rule has, where
none match. A page has p_limit items, by default
100, at most 1000; next_cursor is null on the last one.
Errors: alert_state_known, alert_rule_unknown, server_unknown, limit_in_range, cursor_invalid.';
