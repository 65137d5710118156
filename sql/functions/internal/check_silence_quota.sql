create or replace function internal.check_silence_quota(p_now timestamptz) returns void
language plpgsql stable
as $$
declare
    v_allowed constant bigint := (select value from data.quota where name = 'silences');
begin
    if (
        select count(*) > v_allowed
        from data.silence
        where upper(during) > p_now and cancelled_at is null
    ) then
        raise exception 'there are % silences that have not ended', v_allowed
            using errcode = 'SV429', constraint = 'silences_within_quota',
            detail = jsonb_build_object('quota', 'silences', 'allowed', v_allowed),
            hint = 'Cancel some, or silence more alerts with one, by a regular expression.'
            || ' A database administrator raises the quota: update data.quota set value = '
            || 2 * v_allowed || ' where name = ''silences'';';
    end if;
end
$$;
comment on function internal.check_silence_quota(timestamptz) is
'Refuses what leaves more silences that have not ended than data.quota allows.
Errors: silences_within_quota.';
