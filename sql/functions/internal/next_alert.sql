create or replace function internal.next_alert(
    p_state data.alert_step,
    p_active boolean,
    p_at timestamptz,
    p_for interval,
    p_keep_firing_for interval
)
returns data.alert_step
language sql immutable parallel safe
begin atomic
    select case
        -- Nothing is known, and the rule keeps what is.
        when p_active is null then p_state
        when p_active and (p_state).state = 'firing'
            then row('firing', (p_state).active_at, (p_state).fired_at, null)::data.alert_step
        when p_active and (p_state).state = 'pending'
            then case
                when p_at - (p_state).active_at >= p_for
                    then row('firing', (p_state).active_at, p_at, null)::data.alert_step
                else p_state
            end
        when p_active and p_for > '0'
            then row('pending', p_at, null, null)::data.alert_step
        when p_active
            then row('firing', p_at, p_at, null)::data.alert_step
        when (p_state).state = 'firing'
            then case
                when p_at - coalesce((p_state).recovering_at, p_at) >= p_keep_firing_for
                    then row('resolved', (p_state).active_at, (p_state).fired_at, p_at)::data.alert_step
                else
                    row(
                        'firing', (p_state).active_at, (p_state).fired_at,
                        coalesce((p_state).recovering_at, p_at)
                    )::data.alert_step
            end
        else row('inactive', null, null, null)::data.alert_step
    end;
end;
comment on function internal.next_alert(
    data.alert_step, boolean, timestamptz, interval, interval
) is
'The state of an alert after an evaluation at p_at. inactive and resolved become pending, or firing where
the rule has no p_for; pending becomes firing when the condition has held for p_for, else inactive; firing
becomes resolved when the condition has not held for p_keep_firing_for. p_active null changes nothing.';
