create or replace function internal.probe_turn(
    p_server bigint, p_keepalive_seconds integer, p_now timestamptz
)
returns timestamptz
language sql stable parallel safe
begin atomic
    -- The hash is a place between 0 and 1 within the interval.
    select
        p_now - make_interval(
            secs => mod(
                extract(epoch from p_now)
                + (hashint8(p_server)::bigint + 2147483648) / 4294967296.0 * p_keepalive_seconds,
                p_keepalive_seconds
            )::double precision
        );
end;
comment on function internal.probe_turn(bigint, integer, timestamptz) is
'When the present turn of a server began. Turns follow each other after p_keepalive_seconds; those of
different servers begin at different moments, always the same ones, so that probes are spread evenly.';
