create or replace function api.list_policies(p_policy text) returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
begin
    perform internal.check_policy(p_policy);
    return (
        select json_build_object('items', coalesce(json_agg(shown order by shown.policy, shown.name), '[]'))
        from internal.show_policies() as shown
        where p_policy is null or shown.policy = p_policy
    );
end
$$;
comment on function api.list_policies(text) is
'What can be tuned: {items: [{policy, name, value, shipped}]}. policy is retention (rows of a relation are
kept for value), columnstore (chunks older than value are converted), refresh (how fresh rollups are) or
quota; p_policy asks for one of them. shipped is the value of the release, null for a quota.
Errors: policy_known.';
