create or replace procedure internal.set_default_retention(p_relation text, p_drop_after interval)
language plpgsql
as $$
begin
    call internal.set_default_policy(
        p_relation, 'policy_retention', jsonb_build_object('drop_after', p_drop_after::text)
    );
end
$$;
comment on procedure internal.set_default_retention (text, interval) is
'Ships a retention policy; see set_default_policy.';
