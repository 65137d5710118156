create or replace function api.unsubscribe(p_name text, p_now timestamptz) returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_subscription constant bigint := internal.find_subscription(p_name);
begin
    delete from data.subscription
    where subscription_id = v_subscription;
    return json_build_object('name', p_name, 'outcome', 'removed', 'removed_at', p_now);
end
$$;
comment on function api.unsubscribe(text, timestamptz) is
'Removes a subscription, with what it has not been sent yet: {name, outcome, removed_at}.
Errors: subscription_unknown.';
