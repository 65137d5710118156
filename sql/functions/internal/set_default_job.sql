create or replace procedure internal.set_default_job(
    p_procedure text, p_schedule_interval interval, p_config jsonb
)
language plpgsql
as $$
begin
    call internal.set_default_policy(
        'internal.' || p_procedure,
        p_procedure,
        jsonb_build_object('schedule_interval', p_schedule_interval::text) || p_config
    );
end
$$;
comment on procedure internal.set_default_job (text, interval, jsonb) is
'Ships a job of a procedure in internal; see set_default_policy.';
