create or replace function internal.refuse_over_quota(
    p_quota text, p_count bigint, p_noun text, p_advice text
)
returns void
language plpgsql stable
as $$
declare
    v_allowed constant bigint := (select value from data.quota where name = p_quota);
begin
    if p_count > v_allowed then
        raise exception 'this would be % %; the quota is %', p_count, p_noun, v_allowed
            using errcode = 'SV429', constraint = 'count_within_quota',
            detail = jsonb_strip_nulls(jsonb_build_object(
                'quota', p_quota,
                'allowed', v_allowed,
                -- Of a total, time alone frees nothing.
                'retry_after_seconds', case when p_quota like '%hour' then 3600 end
            )),
            hint = p_advice || format(
                ' A database administrator raises the quota: select ops.set_quota(%L, %s);',
                p_quota, 2 * v_allowed
            );
    end if;
end
$$;
comment on function internal.refuse_over_quota(text, bigint, text, text) is
'Refuses what would make p_count of a noun where a row of data.quota allows fewer. p_advice is the next step.
Errors: count_within_quota.';
