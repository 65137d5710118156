create or replace function internal.policy_hint(p_policy text, p_name text) returns text
language sql stable
begin atomic
    select
        internal.suggestion(
            internal.nearest_name(
                p_name,
                array(
                    select name from internal.show_policies()
                    where policy = p_policy
                ),
                0.25
            )
        )
        || 'list_policies (GET /admin/policies) lists the policies.';
end;
comment on function internal.policy_hint(text, text) is
'What to do where there is no policy of this type and name.';
