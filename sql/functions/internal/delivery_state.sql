create or replace function internal.delivery_state(p_now timestamptz) returns json
language sql stable
begin atomic
    with enabled as materialized (
        select subscription_id from data.every_subscription as subscription
        where subscription.enabled
    ),

    -- What a subscription that is not enabled has does not wait for anything.
    waiting (since) as (
        select min(item.due_at)
        from internal.outbox_groups() as item
        where item.subscription_id in (select enabled.subscription_id from enabled)
        union all
        select min(delivery.created_at)
        from data.delivery
        where
            delivery.delivered_at is null
            and delivery.failed_at is null
            and delivery.subscription_id in (select enabled.subscription_id from enabled)
    )

    select
        json_build_object(
            'outbox_items', internal.estimate_rows('data.outbox'),
            'deliveries_pending', (
                select count(*) from data.delivery
                where delivery.delivered_at is null and delivery.failed_at is null
            ),
            'delivery_oldest_age_seconds',
            greatest(0, coalesce(extract(epoch from p_now - min(waiting.since)), 0))
        )
    from waiting;
end;
comment on function internal.delivery_state(timestamptz) is
'What is to be delivered, and for how long the oldest of it has been due, for monitoring.';
