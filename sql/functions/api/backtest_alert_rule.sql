create or replace function api.backtest_alert_rule(
    p_rule jsonb,
    p_name text,
    p_from timestamptz,
    p_to timestamptz,
    p_step text,
    p_incidents jsonb,
    p_incident_kind text,
    p_points integer,
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
    c_most constant integer := 1000;
    v_to constant timestamptz := coalesce(p_to, p_now);
    v_from constant timestamptz := coalesce(p_from, v_to - interval '7 days');
    v_rule constant data.alert_rule_version := internal.read_tested_rule(p_rule, p_name);
    v_name constant text := coalesce(p_name, p_rule ->> 'name', 'tested');
    v_condition constant jsonb := v_rule.document -> 'condition';
    v_by constant text := internal.rule_label(v_condition);
    v_incidents jsonb;
    v_step interval;
    v_answer json;
begin
    perform internal.check_range(v_from, v_to);
    perform internal.limit_backtest();
    v_step := internal.backtest_step(v_condition, p_step, v_from, v_to);
    if not p_points between 1 and c_most then
        raise exception 'points is not between 1 and %', c_most
            using errcode = 'SV422', constraint = 'points_in_range', column = 'points',
            hint = format('Send how many points of the series you want, 1 to %s, or none.', c_most);
    end if;
    v_incidents := internal.read_incidents(p_incidents, p_incident_kind, v_from, v_to);
    with transition as materialized (
        select
            replayed.*,
            lead(replayed.at) over (partition by replayed.label order by replayed.at) as ends_at
        from internal.replay_alert_rule(v_rule, v_from, v_to, v_step) as replayed
    ),
    alert as materialized (
        select
            label,
            at,
            coalesce(ends_at, v_to) as ends_at
        from transition
        where to_state = 'firing'
    )
    select json_build_object(
        'from', v_from,
        'to', v_to,
        'step_seconds', extract(epoch from v_step)::double precision,
        'alerts', (select count(*) from alert),
        'firing_seconds', (
            select coalesce(extract(epoch from sum(ends_at - at)), 0)
            from alert
        ),
        'transitions', (
            select coalesce(
                json_agg(
                    json_build_object(
                        'at', first_ones.at,
                        'labels', internal.alert_labels(
                            v_name, v_rule.document, v_by, first_ones.label
                        ),
                        'from_state', first_ones.from_state,
                        'to_state', first_ones.to_state,
                        'value', first_ones.value
                    )
                    order by first_ones.at, first_ones.label
                ),
                '[]'
            )
            from (
                select *
                from transition
                order by at, label
                limit c_most
            ) as first_ones
        ),
        'series', case
            when p_points is not null
                then internal.plot_condition(
                    v_rule,
                    v_name,
                    (
                        select label from transition
                        order by at, label
                        limit 1
                    ),
                    v_from, v_to, v_step, p_points
                )
        end,
        'truncated', (select count(*) > c_most from transition),
        'incidents', case
            when v_incidents is not null
                then internal.score_backtest(
                    (
                        select jsonb_agg(jsonb_build_object('from', at, 'to', ends_at))
                        from alert
                    ),
                    v_incidents -> 'inside'
                )
        end,
        'incidents_outside', (v_incidents ->> 'outside')::bigint
    )
    into v_answer;
    return v_answer;
exception when query_canceled then
    perform internal.refuse_long_backtest();
end
$$;
comment on function api.backtest_alert_rule(
    jsonb, text, timestamptz, timestamptz, text, jsonb, text, integer, timestamptz
) is
'What a rule would have done in [p_from, p_to], by default the last 7 days, evaluated every p_step: {from,
to, step_seconds, alerts, firing_seconds, transitions, series, truncated, incidents, incidents_outside}.
p_rule is a rule as in define_alert_rule; null tests the rule named p_name as it is. Nothing is stored. With
p_incidents [{from, to}], or the facts of p_incident_kind (ts, and duration_seconds of the payload),
incidents has precision, recall, false alarms and lead times; see internal.score_backtest. incidents_outside
counts those outside of the range, which are left out. At most 1000 transitions are listed. With p_points,
series has the values of the condition for the group whose state changes first; see internal.plot_condition.
Errors: document_refused, alert_rule_unknown, rule_or_name, from_before_to, from_in_range, step_well_formed,
steps_within_limit, points_in_range, kind_unknown, backtest_within_limit.';
