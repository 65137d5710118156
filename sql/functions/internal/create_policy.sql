create or replace procedure internal.create_policy(p_relation text, p_policy text, p_settings jsonb)
language plpgsql
as $$
declare
    c_schedule constant interval := p_settings ->> 'schedule_interval';
    -- One after the other: jobs that start together use up the background workers.
    c_start constant timestamptz := now() + interval '5 seconds' * (
        select count(distinct (relation, policy)) from deploy.setting
    );
    v_refresh integer;
begin
    case p_policy
        when 'policy_retention' then
            perform add_retention_policy(
                p_relation, drop_after => (p_settings ->> 'drop_after')::interval,
                schedule_interval => c_schedule, initial_start => c_start
            );
        when 'policy_compression' then
            -- Before version 2.29, TimescaleDB wants a refresh policy to be there at this moment.
            select add_continuous_aggregate_policy(
                p_relation, interval '3 days', interval '1 hour', interval '1 day', if_not_exists => true
            ) into v_refresh
            from timescaledb_information.continuous_aggregates
            where format('%s.%s', view_schema, view_name) = p_relation;
            call add_columnstore_policy(
                p_relation, after => (p_settings ->> 'compress_after')::interval,
                schedule_interval => c_schedule, initial_start => c_start
            );
            if v_refresh > 0 then
                perform delete_job(v_refresh);
            end if;
        else
            perform add_job(
                format('internal.%I', p_policy)::regproc, c_schedule,
                config => nullif(p_settings - 'schedule_interval', '{}'), initial_start => c_start
            );
    end case;
end
$$;
comment on procedure internal.create_policy (text, text, jsonb) is
'Creates a retention or columnstore policy, or a job of a procedure in internal.';
