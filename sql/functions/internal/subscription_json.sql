create or replace function internal.subscription_json(p_subscription data.subscription) returns json
language sql stable
begin atomic
    select
        json_build_object(
            'name', (p_subscription).name,
            'type', (p_subscription).type,
            'url', (p_subscription).url,
            'author', (p_subscription).author,
            'alerts', (p_subscription).alerts,
            'facts', (p_subscription).facts,
            'enabled', (p_subscription).enabled,
            'created_at', (p_subscription).created_at,
            'updated_at', (p_subscription).updated_at,
            'pending', (
                select count(*) from data.outbox
                where outbox.subscription_id = (p_subscription).subscription_id
            ) + count(*) filter (where delivery.delivered_at is null and delivery.failed_at is null),
            'failed', count(delivery.failed_at),
            'delivered_at', max(delivery.delivered_at),
            'error', (
                array_agg(delivery.error order by delivery.created_at desc)
                filter (where delivery.delivered_at is null and delivery.error is not null)
            )[1]
        )
    from data.delivery
    where delivery.subscription_id = (p_subscription).subscription_id;
end;
comment on function internal.subscription_json(data.subscription) is
'A subscription without its secret: {name, type, url, author, alerts, facts, enabled, created_at,
updated_at, pending, failed, delivered_at, error}. pending counts what is to be sent, failed the requests
of the last week that were given up, error is that of the newest request that was not delivered.';
