create or replace function internal.health_lasts(p_signal text, p_keepalive_seconds integer)
returns interval
language sql immutable parallel safe
begin atomic
    select make_interval(
        secs => greatest(
            3 * p_keepalive_seconds,
            -- The job looks once a minute, however often the server sends keep-alives.
            case p_signal when 'traffic' then 180 else 0 end
        )
    );
end;
comment on function internal.health_lasts(text, integer) is
'How long a report of a signal counts.';
