create or replace function internal.find_subscription(p_name text) returns bigint
language plpgsql stable
as $$
declare
    v_subscription constant bigint := (
        select subscription_id from data.subscription
        where name = p_name
    );
    v_nearest text;
begin
    if v_subscription is null then
        v_nearest := internal.nearest_name(p_name, array(select name from data.subscription), 0.25);
        raise exception 'unknown subscription "%"', left(p_name, 200)
            using errcode = 'SV404', constraint = 'subscription_unknown', column = 'name',
            detail = jsonb_strip_nulls(jsonb_build_object('nearest', v_nearest)),
            hint = internal.suggestion(v_nearest)
            || 'list_subscriptions (GET /subscriptions) lists all subscriptions.';
    end if;
    return v_subscription;
end
$$;
comment on function internal.find_subscription(text) is
'The subscription of this name. The error names the nearest one.
Errors: subscription_unknown.';
