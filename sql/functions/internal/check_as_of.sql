create or replace function internal.check_as_of(p_as_of timestamptz, p_now timestamptz) returns void
language plpgsql immutable
as $$
begin
    -- As far as the clock of a client may be ahead elsewhere.
    if p_as_of > p_now + interval '5 minutes' then
        raise exception 'as_of (%) is in the future', to_json(p_as_of) #>> '{}'
            using errcode = 'SV422', constraint = 'as_of_not_in_future', column = 'as_of',
            hint = 'Send a past time as as_of, or leave it out for the present.';
    end if;
end
$$;
comment on function internal.check_as_of(timestamptz, timestamptz) is
'Refuses a time that is more than 5 minutes ahead of p_now: what will be known then is not known yet.
Errors: as_of_not_in_future.';
