create or replace function api.list_subscriptions(
    p_name text, p_limit integer, p_cursor text, p_now timestamptz
)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000);
    v_after constant text := internal.read_cursor('subscriptions', p_cursor, '.');
    v_id bigint;
    v_answer json;
begin
    if p_name is not null then
        v_id := internal.find_subscription(p_name);
        return (
            select internal.subscription_json(subscription) from data.subscription
            where subscription_id = v_id
        );
    end if;
    with page as (
        select
            subscription,
            subscription.name,
            row_number() over (order by subscription.name) as place
        from data.subscription
        where v_after is null or subscription.name > v_after
        order by subscription.name
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(
            json_agg(internal.subscription_json(subscription) order by place)
            filter (where place <= v_limit), '[]'
        ),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'subscriptions', max(name) filter (where place = v_limit)
        ) end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_subscriptions(text, integer, text, timestamptz) is
'Subscriptions by name, without their secrets: {items, next_cursor}; see internal.subscription_json. p_name
asks for one of them, alone. A page has p_limit items, by default 100, at most 1000.
Errors: subscription_unknown, limit_in_range, cursor_invalid.';
