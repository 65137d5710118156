create or replace procedure internal.expire_health(p_job_id integer, p_config jsonb)
language plpgsql
as $$
begin
    perform internal.expire_states(now());
end
$$;
comment on procedure internal.expire_health (integer, jsonb) is
'Job: turns states that nobody reports any more to unknown. Answers are right without it; it moves what
has ended to data.health_interval.';
