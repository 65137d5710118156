create or replace function internal.seconds_json(
    p_up numeric, p_degraded numeric, p_down numeric, p_unknown numeric, p_maintenance numeric
)
returns json
language sql immutable parallel safe
begin atomic
    select json_build_object(
        'up', trim_scale(p_up),
        'degraded', trim_scale(p_degraded),
        'down', trim_scale(p_down),
        'unknown', trim_scale(p_unknown),
        'maintenance', trim_scale(p_maintenance)
    );
end;
comment on function internal.seconds_json(numeric, numeric, numeric, numeric, numeric) is
'Seconds by status.';
