create or replace function internal.range_seconds(p_during tstzmultirange) returns numeric
language sql immutable parallel safe
begin atomic
    -- A difference of instants has days of 24 hours in every time zone.
    select trim_scale(coalesce(extract(epoch from sum(upper(part) - lower(part))), 0))
    from unnest(p_during) as part;
end;
comment on function internal.range_seconds(tstzmultirange) is 'Length of all ranges together, in seconds.';
