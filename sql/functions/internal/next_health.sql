create or replace function internal.next_health(
    p_state data.health_step,
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
declare
    v_next data.health_step := p_state;
    v_count integer;
    v_failures text [];
    v_successes text [];
begin
    -- The status ended when nobody reported any more, and what was reported before counts no more.
    if p_ts > p_state.expires_at then
        v_next.recent := '{}';
        if p_state.status <> 'unknown' then
            v_next.status := 'unknown';
            v_next.since := p_state.expires_at;
        end if;
    end if;

    v_next.last_at := p_ts;
    v_next.expires_at := p_ts + p_lasts;
    v_count := cardinality(v_next.recent);
    v_next.recent := v_next.recent[v_count - greatest(p_failures, p_successes) + 2:] || p_status;
    v_count := cardinality(v_next.recent);
    -- Null until there are as many as it takes.
    if v_count >= p_failures then
        v_failures := v_next.recent[v_count - p_failures + 1:];
    end if;
    if v_count >= p_successes then
        v_successes := v_next.recent[v_count - p_successes + 1:];
    end if;

    v_next.status := case
        when v_next.status = 'unknown' and p_status <> 'down' then p_status
        when v_next.status in ('unknown', 'up', 'degraded') and 'down' = all(v_failures) then 'down'
        when v_next.status = 'up' and 'up' <> all(v_failures) then 'degraded'
        when v_next.status in ('degraded', 'down') and 'up' = all(v_successes) then 'up'
        when v_next.status = 'down' and 'down' <> all(v_successes) then 'degraded'
        else v_next.status
    end;
    if v_next.status <> p_state.status or p_ts > p_state.expires_at then
        if v_next.status <> 'unknown' then
            v_next.since := p_ts;
            v_next.reason := p_detail;
        else
            v_next.reason := null;
        end if;
        if p_state.status <> 'unknown' and p_state.since < p_ts then
            v_next.ended_status := p_state.status;
            v_next.ended := tstzrange(p_state.since, least(p_state.expires_at, p_ts));
            v_next.ended_reason := p_state.reason;
            return v_next;
        end if;
    end if;
    v_next.ended_status := null;
    v_next.ended := null;
    v_next.ended_reason := null;
    return v_next;
end
$$;
comment on function internal.next_health(
    data.health_step, text, timestamptz, text, integer, integer, interval
) is
'The state of a signal after a report that is not older than the one before. The last p_failures
reports, when all are worse than the status, change it to the least bad of them; the last p_successes,
when all are better, to the worst. After silence, up and degraded count at once. A report counts for
p_lasts.';
