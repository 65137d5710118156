create or replace function internal.replay_alert_rule(
    p_rule data.alert_rule_version,
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns table (
    at timestamptz, label text, from_state text, to_state text, value double precision, active_at timestamptz
)
language plpgsql stable
as $$
declare
    c_most constant integer := 500000;
    c_inactive constant data.alert_step := row('inactive', null, null, null);
    c_for constant interval := p_rule.document ->> 'for';
    c_keep constant interval := p_rule.document ->> 'keep_firing_for';
    v_state data.alert_step := c_inactive;
    v_next data.alert_step;
    v_label text;
    v_reading record;
    v_readings constant data.alert_reading [] := array(
        select reading
        from internal.measure_conditions(array[p_rule], p_from, p_to, p_step) as reading
    );
    v_members constant text [] := array(
        select distinct member.label from unnest(v_readings) as member
    );
begin
    if cardinality(v_members) * extract(epoch from p_to - p_from) / extract(epoch from p_step) > c_most then
        raise exception 'the rule has % groups, which makes more than % evaluations', cardinality(v_members), c_most
            using errcode = 'SV422', constraint = 'steps_within_limit', column = 'step',
            hint = 'Send a longer step, a shorter range, or a condition about fewer groups.';
    end if;
    for v_reading in
        with reading as materialized (
            select * from unnest(v_readings)
        ),
        member as (
            select unnest(v_members) as label
        )
        select
            member.label,
            instant.at,
            reading.value,
            internal.judge_reading(
                p_rule.document, reading.rule_id is not null, reading.active, true
            ) as active
        from member
        cross join generate_series(p_from, p_to, p_step) as instant (at)
        left join reading on member.label = reading.label and instant.at = reading.at
        order by member.label, instant.at
    loop
        if v_reading.label is distinct from v_label then
            v_label := v_reading.label;
            v_state := c_inactive;
        end if;
        -- Most evaluations change nothing.
        continue when (v_state.state = 'inactive' and v_reading.active is not true)
            or (v_state.state = 'firing' and v_state.recovering_at is null and v_reading.active is not false);
        v_next := internal.next_alert(v_state, v_reading.active, v_reading.at, c_for, c_keep);
        if v_next.state <> v_state.state then
            at := v_reading.at;
            label := v_label;
            from_state := v_state.state;
            to_state := v_next.state;
            value := v_reading.value;
            active_at := coalesce(v_next.active_at, v_state.active_at);
            return next;
        end if;
        v_state := case when v_next.state = 'resolved' then c_inactive else v_next end;
    end loop;
end
$$;
comment on function internal.replay_alert_rule(
    data.alert_rule_version, timestamptz, timestamptz, interval
) is
'The transitions that a rule would have made, evaluated at p_from, p_from + p_step and so on up to p_to, by
the functions of a live evaluation.';
