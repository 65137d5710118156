create or replace function api.take_deliveries(p_limit integer, p_now timestamptz) returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    c_items constant integer := 500;
    c_bytes constant integer := 1048576;
    -- A receiver that does not answer must leave room for the others, also one with many subscriptions.
    c_of_subscription constant integer := 4;
    c_of_host constant integer := 8;
    v_answer json;
begin
    -- One process at a time makes requests of what is in the outbox; the others send.
    if pg_try_advisory_xact_lock(hashtextextended('take deliveries', 0)) then
        with ready as materialized (
            select
                oldest.subscription_id,
                oldest.group_key
            from internal.outbox_groups() as oldest
            inner join data.every_subscription as subscription on oldest.subscription_id = subscription.subscription_id
            where
                oldest.due_at <= p_now
                and subscription.enabled
                and not exists (
                    select from data.delivery
                    where
                        delivery.subscription_id = oldest.subscription_id
                        and delivery.group_key = oldest.group_key
                        and delivery.delivered_at is null
                        and delivery.failed_at is null
                )
            limit p_limit
        ),
        -- Of each group once: the planner does not know how many items wait.
        chosen as materialized (
            select
                ready.subscription_id,
                ready.group_key,
                first_ones.outbox_id,
                row_number() over in_order as place,
                sum(octet_length(first_ones.item::text)) over in_order as bytes
            from ready
            cross join lateral (
                select
                    waiting.outbox_id,
                    waiting.item
                from data.outbox as waiting
                where
                    waiting.subscription_id = ready.subscription_id
                    and waiting.group_key = ready.group_key
                order by waiting.outbox_id
                limit c_items
            ) as first_ones
            window in_order as (
                partition by ready.subscription_id, ready.group_key order by first_ones.outbox_id
            )
        ),
        taken as (
            delete from data.outbox
            using chosen
            where
                outbox.subscription_id = chosen.subscription_id
                and outbox.group_key = chosen.group_key
                and outbox.outbox_id = chosen.outbox_id
                and (chosen.place = 1 or chosen.bytes <= c_bytes)
            returning outbox.*
        )
        insert into data.delivery (subscription_id, group_key, payload, created_at, next_at)
        select
            bundle.subscription_id,
            bundle.group_key,
            internal.delivery_payload(subscription, bundle.group_key, bundle.items, p_now),
            p_now,
            p_now
        from (
            select
                taken.subscription_id,
                taken.group_key,
                jsonb_agg(taken.item order by taken.outbox_id) as items
            from taken
            group by taken.subscription_id, taken.group_key
        ) as bundle
        inner join data.every_subscription as subscription on bundle.subscription_id = subscription.subscription_id;
    end if;

    with under_way as materialized (
        select
            subscription.subscription_id,
            subscription.host
        from data.delivery
        inner join data.every_subscription as subscription on delivery.subscription_id = subscription.subscription_id
        where
            delivery.delivered_at is null
            and delivery.failed_at is null
            and delivery.claimed_until > p_now
    ),
    candidate as (
        select
            waiting.delivery_id,
            waiting.next_at,
            subscription.host,
            row_number() over (
                partition by subscription.host order by waiting.next_at, waiting.delivery_id
            ) as place
        from data.every_subscription as subscription
        cross join lateral (
            select
                delivery.delivery_id,
                delivery.next_at
            from data.delivery
            where
                delivery.subscription_id = subscription.subscription_id
                and delivery.delivered_at is null
                and delivery.failed_at is null
                and delivery.next_at <= p_now
                and (delivery.claimed_until is null or delivery.claimed_until <= p_now)
            order by delivery.next_at
            limit greatest(0, c_of_subscription - (
                select count(*) from under_way
                where under_way.subscription_id = subscription.subscription_id
            ))
        ) as waiting
        where subscription.enabled
    ),
    first_ones as (
        select candidate.delivery_id
        from candidate
        where candidate.place <= c_of_host - (
            select count(*) from under_way
            where under_way.host = candidate.host
        )
        order by candidate.next_at
        limit p_limit
    ),
    due as (
        select delivery.delivery_id
        from data.delivery
        inner join first_ones on delivery.delivery_id = first_ones.delivery_id
        -- Another process may have taken it by now, and recorded what became of it.
        where
            (delivery.claimed_until is null or delivery.claimed_until <= p_now)
            and delivery.delivered_at is null
            and delivery.failed_at is null
            and delivery.next_at <= p_now
        for update of delivery skip locked
    ),
    claimed as (
        update data.delivery
        set claimed_until = p_now + interval '60 seconds', attempts = attempts + 1
        from due
        where delivery.delivery_id = due.delivery_id
        returning delivery.*
    )
    select coalesce(
        json_agg(
            json_build_object(
                'delivery_id', claimed.delivery_id,
                'type', subscription.type,
                'url', subscription.url,
                'secret', subscription.secret,
                'attempt', claimed.attempts,
                'payload', claimed.payload
            )
            order by claimed.next_at
        ),
        '[]'
    )
    into v_answer
    from claimed
    inner join data.every_subscription as subscription on claimed.subscription_id = subscription.subscription_id;
    return v_answer;
end
$$;
comment on function api.take_deliveries(integer, timestamptz) is
'Claims at most p_limit requests that are due for 60 seconds, at most 4 of a subscription and 8 of a host at
once: [{delivery_id, type, url, secret, attempt, payload}]. Of a process that ends before record_deliveries,
another one takes them after that, with the same id and payload. At most 500 items of a group, or 1 MiB of
them, go into one request.';
