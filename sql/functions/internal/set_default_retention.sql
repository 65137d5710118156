create or replace procedure internal.set_default_retention(
    p_relation text, p_drop_after interval, p_schedule_interval interval default null
)
language plpgsql
as $$
begin
    call internal.set_default_policy(
        p_relation,
        'policy_retention',
        jsonb_strip_nulls(jsonb_build_object(
            'drop_after', p_drop_after::text, 'schedule_interval', p_schedule_interval::text
        ))
    );
end
$$;
comment on procedure internal.set_default_retention (text, interval, interval) is
'Ships a retention policy; without a p_schedule_interval, TimescaleDB chooses it. See
set_default_policy.';
