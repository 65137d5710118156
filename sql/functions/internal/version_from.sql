create or replace function internal.version_from(p_last tstzrange, p_now timestamptz) returns tstzrange
language sql immutable parallel safe
begin atomic
    -- Of two changes at the same instant, or after the clock went back, the second one is later.
    select tstzrange(
        greatest(p_now, coalesce(upper(p_last), lower(p_last) + interval '1 microsecond')), null
    );
end;
comment on function internal.version_from(tstzrange, timestamptz) is
'When the version that follows one of p_last is in force, or the first one where that is null.';
