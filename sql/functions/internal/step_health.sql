create or replace function internal.step_health(
    p_state data.health_step,
    p_first data.health_step,
    p_status text,
    p_ts timestamptz,
    p_detail text,
    p_failures integer,
    p_successes integer,
    p_lasts interval
)
returns data.health_step
language plpgsql stable parallel safe
as $$
begin
    return internal.next_health(
        case when p_state is null then p_first else p_state end,
        p_status, p_ts, p_detail, p_failures, p_successes, p_lasts
    );
end
$$;
comment on function internal.step_health(
    data.health_step, data.health_step, text, timestamptz, text, integer, integer, interval
) is
'internal.next_health as a step of internal.health_after: the first one starts from p_first.';
