create or replace function api.list_alert_history(
    p_rule text,
    p_id text,
    p_labels jsonb,
    p_from timestamptz,
    p_to timestamptz,
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
-- One plan for all filters would read every transition.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000);
    v_to constant timestamptz := coalesce(p_to, p_now + interval '1 hour');
    v_after constant text := internal.read_cursor('alert_history', p_cursor, '^-?\d{1,17}/\d{1,18}$');
    v_rule constant bigint := case
        when p_rule is not null then internal.find_alert_rule(p_rule, 'rule')
    end;
    -- Null for the rules of every namespace, where there is one only.
    v_rules constant bigint [] := case
        when v_rule is not null then array[v_rule]
        when exists (select from data.every_alert_rule where namespace <> internal.namespace())
            then array(select rule_id from data.alert_rule)
    end;
    v_at timestamptz := v_to;
    v_id bigint := 0;
    v_answer json;
begin
    perform internal.check_range(p_from, v_to);
    if v_after is not null then
        v_at := to_timestamp(0) + split_part(v_after, '/', 1)::bigint * interval '1 microsecond';
        v_id := split_part(v_after, '/', 2)::bigint;
    end if;
    with page as (
        select
            transition.at,
            transition.transition_id,
            row_number() over (order by transition.at desc, transition.transition_id desc) as place,
            json_build_object(
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
            ) as item
        from (
            select *
            from data.alert_transition
            where (v_rules is null or rule_id = any(v_rules))
                and (p_id is null or fingerprint = p_id)
                and (p_labels is null or labels @> p_labels)
                and at >= coalesce(p_from, '-infinity')
                and at < v_to
                and at <= v_at
                and (at, transition_id) < (v_at, v_id)
            order by at desc, transition_id desc
            limit v_limit + 1
        ) as transition
        inner join data.alert_rule on transition.rule_id = alert_rule.rule_id
    )
    select json_build_object(
        'items', coalesce(json_agg(item order by place) filter (where place <= v_limit), '[]'),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'alert_history',
            max((extract(epoch from at) * 1000000)::bigint || '/' || transition_id)
            filter (where place = v_limit)
        ) end,
        'hint', case when count(*) = 0 then internal.label_hint(array(select jsonb_object_keys(p_labels))) end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_alert_history(
    text, text, jsonb, timestamptz, timestamptz, integer, text, timestamptz
) is
'Changes of the states of alerts in [p_from, p_to), the newest first: {items: [{id, rule, version,
severity, at, from_state, to_state, late, value, labels, annotations, evidence}], next_cursor, hint}.
p_rule is the name of a rule, also of a deleted one, and p_id the id of an alert; p_labels asks for those
with all of these labels, and hint says which of them no alert and no rule has, where none match. late says
that late data changed the condition. A page has p_limit items, by default 100, at most 1000; next_cursor is null on the last one.
Errors: alert_rule_unknown, from_before_to, limit_in_range, cursor_invalid.';
