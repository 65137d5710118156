create or replace procedure internal.set_default_columnstore(p_relation text, p_after interval)
language plpgsql
as $$
begin
    call internal.set_default_policy(
        p_relation, 'policy_compression', jsonb_build_object('compress_after', p_after::text)
    );
end
$$;
comment on procedure internal.set_default_columnstore (text, interval) is
'Ships a columnstore policy; see set_default_policy.';
