create or replace function api.take_deliveries(p_limit integer, p_now timestamptz) returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    c_items constant integer := 500;
    v_answer json;
begin
    -- One process at a time makes requests of what is in the outbox; the others send.
    if pg_try_advisory_xact_lock(hashtextextended('take deliveries', 0)) then
        with ready as materialized (
            select
                outbox.subscription_id,
                outbox.group_key
            from data.outbox
            inner join data.subscription on outbox.subscription_id = subscription.subscription_id
            where
                subscription.enabled
                and not exists (
                    select from data.delivery
                    where
                        delivery.subscription_id = outbox.subscription_id
                        and delivery.group_key = outbox.group_key
                        and delivery.delivered_at is null
                        and delivery.failed_at is null
                )
            group by outbox.subscription_id, outbox.group_key
            having min(outbox.due_at) <= p_now
            limit p_limit
        ),
        taken as (
            delete from data.outbox
            using ready
            cross join lateral (
                select first_ones.outbox_id
                from data.outbox as first_ones
                where
                    first_ones.subscription_id = ready.subscription_id
                    and first_ones.group_key = ready.group_key
                order by first_ones.outbox_id
                limit c_items
            ) as chosen
            where outbox.outbox_id = chosen.outbox_id
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
        inner join data.subscription on bundle.subscription_id = subscription.subscription_id;
    end if;

    with due as (
        select delivery.delivery_id
        from data.delivery
        inner join data.subscription on delivery.subscription_id = subscription.subscription_id
        where
            delivery.delivered_at is null
            and delivery.failed_at is null
            and delivery.next_at <= p_now
            and (delivery.claimed_until is null or delivery.claimed_until <= p_now)
            and subscription.enabled
        order by delivery.next_at
        limit p_limit
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
    inner join data.subscription on claimed.subscription_id = subscription.subscription_id;
    return v_answer;
end
$$;
comment on function api.take_deliveries(integer, timestamptz) is
'Claims at most p_limit requests that are due for 60 seconds: [{delivery_id, type, url, secret, attempt,
payload}]. Of a process that ends before record_deliveries, another one takes them after that, with the
same id and payload. At most 500 items of a group go into one request.';
