create or replace function internal.enqueue_alerts(p_now timestamptz) returns integer
language plpgsql
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_count integer;
begin
    if not exists (select from data.subscription where alerts is not null) then
        return 0;
    end if;
    -- One after the other: what one has notified, the next one sees.
    perform pg_advisory_xact_lock(hashtextextended('enqueue alerts', 0));
    with subscriber as materialized (
        select
            subscription_id,
            type,
            internal.matchers_path(alerts -> 'matchers') as path,
            alerts -> 'group_by' as group_by,
            (alerts ->> 'group_wait')::interval as group_wait,
            (alerts ->> 'group_interval')::interval as group_interval,
            (alerts ->> 'repeat_interval')::interval as repeat_interval
        from data.subscription
        where alerts is not null and enabled
    ),

    firing as materialized (
        select
            alert.fingerprint,
            alert.labels,
            alert.annotations,
            alert.fired_at,
            suppressed.fingerprint is not null as suppressed
        from data.alert
        left join internal.suppressed_alerts(p_now) as suppressed
            on alert.fingerprint = suppressed.fingerprint
        where alert.state = 'firing'
    ),

    fired as (
        select
            subscriber.subscription_id,
            matched.fingerprint,
            internal.group_key(matched.labels, subscriber.group_by) as group_key,
            matched.fired_at,
            null::timestamptz as resolved_at,
            jsonb_build_object(
                'status', 'firing',
                'labels', matched.labels,
                'annotations', matched.annotations,
                'startsAt', matched.fired_at,
                'endsAt', '0001-01-01T00:00:00Z',
                'generatorURL', '',
                'fingerprint', matched.fingerprint
            ) as alert
        from subscriber
        cross join lateral (
            select *
            from firing
            where labels @@ subscriber.path and not suppressed
            offset 0
        ) as matched
        left join data.notification as notified
            on
                subscriber.subscription_id = notified.subscription_id
                and matched.fingerprint = notified.fingerprint
        where
            notified.fingerprint is null
            or notified.fired_at <> matched.fired_at
            or notified.resolved_at is not null
            or notified.notified_at <= p_now - subscriber.repeat_interval
    ),

    resolved as (
        select
            notified.subscription_id,
            notified.fingerprint,
            notified.group_key,
            notified.fired_at,
            coalesce(notified.resolved_at, p_now) as resolved_at,
            notified.alert || jsonb_build_object(
                'status', 'resolved', 'endsAt', coalesce(notified.resolved_at, p_now)
            ) as alert
        from data.notification as notified
        inner join subscriber on notified.subscription_id = subscriber.subscription_id
        where
            not exists (select from firing where firing.fingerprint = notified.fingerprint)
            and (
                notified.resolved_at is null
                or (
                    notified.resolved_at > p_now - interval '5 minutes'
                    and notified.notified_at <= p_now - subscriber.repeat_interval
                )
            )
    ),

    news as materialized (
        select * from fired
        union all
        select * from resolved
    ),

    queued as (
        insert into data.outbox (subscription_id, group_key, item, due_at)
        select
            news.subscription_id,
            news.group_key,
            news.alert,
            case
                when earlier.notified then greatest(p_now, earlier.sent_at + subscriber.group_interval)
                else p_now + subscriber.group_wait
            end
        from news
        inner join subscriber on news.subscription_id = subscriber.subscription_id
        cross join lateral (
            select
                exists (
                    select from data.notification
                    where
                        notification.subscription_id = news.subscription_id
                        and notification.group_key = news.group_key
                ) as notified,
                (
                    select max(delivery.created_at)
                    from data.delivery
                    where
                        delivery.subscription_id = news.subscription_id
                        and delivery.group_key = news.group_key
                ) as sent_at
        ) as earlier
        order by news.fired_at, news.fingerprint
        returning 1
    ),

    noted as (
        insert into data.notification as notification (
            subscription_id, fingerprint, group_key, fired_at, notified_at, resolved_at, alert
        )
        select
            subscription_id,
            fingerprint,
            group_key,
            fired_at,
            p_now,
            resolved_at,
            alert
        from news
        on conflict (subscription_id, fingerprint) do update set
            group_key = excluded.group_key,
            fired_at = excluded.fired_at,
            notified_at = excluded.notified_at,
            resolved_at = excluded.resolved_at,
            alert = excluded.alert
    )

    select count(*) into v_count
    from queued;
    -- Only an Alertmanager is notified again that an alert is resolved: it may have restarted.
    delete from data.notification
    using data.subscription
    where
        notification.subscription_id = subscription.subscription_id
        and notification.resolved_at is not null
        and (subscription.type <> 'alertmanager' or notification.resolved_at <= p_now - interval '5 minutes');
    return v_count;
end
$$;
comment on function internal.enqueue_alerts(timestamptz) is
'Puts into the outbox the alerts that subscribers are to be notified of: those that began to fire, also
because a silence has ended, those that were resolved, and those to be repeated; the number of items.
Called in the transaction of the transitions. What a subscriber was notified of is in data.notification,
so that a second call adds nothing.';
