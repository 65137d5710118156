create or replace function api.record_deliveries(p_results jsonb, p_now timestamptz) returns json
language sql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    with result as (
        select sent.*
        from jsonb_to_recordset(p_results) as sent (
            delivery_id uuid, delivered boolean, retry boolean, detail text, jitter double precision
        )
    ),

    recorded as (
        update data.delivery
        set
            claimed_until = null,
            delivered_at = case when result.delivered then p_now end,
            failed_at = case
                when
                    not result.delivered
                    and (not result.retry or delivery.created_at < p_now - interval '3 days')
                    then p_now
            end,
            error = case when not result.delivered then left(result.detail, 1000) end,
            next_at = p_now + least(
                -- To an Alertmanager, an alert that it is not sent for minutes is resolved.
                case subscription.type
                    when 'alertmanager' then interval '1 minute'
                    else interval '1 hour'
                end,
                interval '5 seconds' * 2 ^ least(delivery.attempts - 1, 20)
            ) * (0.5 + result.jitter)
        from result, data.every_subscription as subscription
        where
            delivery.delivery_id = result.delivery_id
            and delivery.subscription_id = subscription.subscription_id
            and delivery.delivered_at is null
            and delivery.failed_at is null
        returning
            concat_ws('@', nullif(subscription.namespace, ''), subscription.name) as subscription,
            delivery.group_key as "group",
            delivery.attempts,
            case
                when delivery.delivered_at is not null then 'delivered'
                when delivery.failed_at is not null then 'given_up'
                else 'failed'
            end as outcome,
            delivery.error
    )

    select coalesce(json_agg(recorded), '[]')
    from recorded;
end;
comment on function api.record_deliveries(jsonb, timestamptz) is
'Notes what has become of requests: [{delivery_id, delivered, retry, detail, jitter}]. What was not
delivered is due again after 5 seconds, then after twice as long each time up to an hour (a minute for an
Alertmanager), times 0.5 + jitter; it is given up where retry is false, and after 3 days.
Returns what was noted: [{subscription, group, attempts, outcome, error}], where outcome is delivered,
failed or given_up. Outside of the default namespace, namespace@ is before the name of the subscription.';
