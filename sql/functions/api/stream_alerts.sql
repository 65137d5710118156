create or replace function api.stream_alerts(
    p_rule text,
    p_labels jsonb,
    p_last_event_id text,
    p_until text,
    p_limit integer,
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
    v_limit constant integer := internal.read_limit(p_limit, 500, 1000);
    v_rule constant bigint := case
        when p_rule is not null then internal.find_alert_rule(p_rule, 'rule')
    end;
    v_reading record;
    v_since timestamptz;
    v_answer json;
begin
    select * into v_reading from internal.plan_reading(p_last_event_id, p_until, p_now);
    -- A transaction is committed soon after the time of its evaluation; older chunks have none.
    v_since := v_reading.at - interval '1 day';

    with unseen as (
        (
            select change, transition_id, at, 0 as turn
            from data.alert_transition
            where
                change = v_reading.change
                and transition_id > v_reading.number
                and at >= v_since
            order by transition_id
            limit v_limit + 1
        )
        union all
        (
            select change, transition_id, at, 1
            from data.alert_transition
            where
                change = any(v_reading.unseen)
                and change < v_reading.to_change
                and change <> all(v_reading.hidden)
                and at >= v_since
            order by change, transition_id
            limit v_limit + 1
        )
        union all
        (
            select change, transition_id, at, 1
            from data.alert_transition
            where
                change >= v_reading.from_change
                and change < v_reading.to_change
                and change <> all(v_reading.hidden)
                and at >= v_since
            order by change, transition_id
            limit v_limit + 1
        )
    ),
    placed as materialized (
        select
            unseen.*,
            row_number() over (order by turn, change, transition_id) as place
        from unseen
        order by turn, change, transition_id
        limit v_limit + 1
    ),
    page as materialized (
        select
            placed.*,
            internal.write_position(begun.seen, change, transition_id, v_reading.at) as position
        from placed
        inner join (
            select
                change,
                case
                    when turn = 0 then v_reading.seen
                    else internal.seen_before(v_reading.base, v_reading.until, change)
                end as seen
            from placed
            group by turn, change
        ) as begun using (change)
        where place <= v_limit
    )
    select json_build_object(
        'events', coalesce(
            (
                select
                    json_agg(
                        json_build_object(
                            'id', page.position,
                            'about', transition.labels,
                            'data', json_build_object(
                                'id', transition.fingerprint,
                                'rule', alert_rule.name,
                                'version', transition.version,
                                'severity', transition.labels ->> 'severity',
                                'at', transition.at,
                                'from_state', transition.from_state,
                                'to_state', transition.to_state,
                                'late', transition.late,
                                'value', transition.value,
                                'labels', transition.labels,
                                'annotations', transition.annotations,
                                'evidence', transition.evidence
                            )
                        )
                        order by page.place
                    )
                from page
                -- Without `offset 0` the planner may read all transitions.
                cross join lateral (
                    select alert_transition.*
                    from data.alert_transition
                    where
                        alert_transition.at = page.at
                        and alert_transition.transition_id = page.transition_id
                    offset 0
                ) as transition
                inner join data.alert_rule on transition.rule_id = alert_rule.rule_id
                where
                    (v_rule is null or transition.rule_id = v_rule)
                    and (p_labels is null or transition.labels @> p_labels)
            ),
            '[]'
        ),
        'position', case
            when (select count(*) from placed) <= v_limit and v_reading.is_covered
                then v_reading.until_position
            else coalesce(
                (select page.position from page order by place desc limit 1), p_last_event_id
            )
        end,
        'until', v_reading.until_position,
        'missing', internal.missing_json(
            v_reading.at, v_reading.is_foreign, p_now - internal.retention('alert_transition'), p_now
        )
    )
    into v_answer;
    return v_answer;
end
$$;
comment on function api.stream_alerts(text, jsonb, text, text, integer, timestamptz) is
'Changes of the states of alerts in an order in which none is missed, as api.stream_facts has facts:
{events: [{id, about, data}], position, until, missing}. data is as in list_alert_history, about the
labels. p_rule is the name of a rule, also of a deleted one; p_labels asks for those with all of these
labels.
Errors: alert_rule_unknown, last_event_id_well_formed, limit_in_range.';
