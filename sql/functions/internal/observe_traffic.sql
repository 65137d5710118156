create or replace procedure internal.observe_traffic(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    v_namespace text;
begin
    for v_namespace in
        select distinct namespace from data.every_server
        where source is not null and deregistered_at is null
    loop
        perform set_config('supervisor.namespace', v_namespace, true);
        perform internal.record_health(internal.traffic_reports(p_config, now()), now());
    end loop;
end
$$;
comment on procedure internal.observe_traffic (integer, jsonb) is
'Job: reports what callers see, as signal traffic. In its config, metric is a histogram or counter of
calls, failed the jsonpath of labels that only failed calls have, window the time looked at, degraded and
down the shares of errors from which on a server is that, least_calls how many calls it takes.';
