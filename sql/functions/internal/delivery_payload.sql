create or replace function internal.delivery_payload(
    p_subscription data.every_subscription, p_group_key text, p_items jsonb, p_now timestamptz
)
returns jsonb
language plpgsql stable
set timezone = 'UTC'
as $$
declare
    v_alerts jsonb;
begin
    if p_group_key = 'facts' then
        return jsonb_build_object(
            'version', '1', 'type', 'facts', 'subscription', p_subscription.name, 'facts', p_items
        );
    end if;
    -- Of several about one alert, the last one counts; those of the group that still fire come along.
    select jsonb_agg(alert order by alert ->> 'startsAt', fingerprint)
    into v_alerts
    from (
        select distinct on (notified.fingerprint)
            notified.fingerprint,
            notified.alert
        from (
            select
                sent.item ->> 'fingerprint' as fingerprint,
                sent.item as alert,
                sent.place
            from jsonb_array_elements(p_items) with ordinality as sent (item, place)
            union all
            select
                fingerprint,
                alert,
                0
            from data.notification
            where
                subscription_id = p_subscription.subscription_id
                and group_key = p_group_key
                and resolved_at is null
                and p_subscription.type = 'webhook'
        ) as notified
        order by notified.fingerprint, notified.place desc
    ) as newest;
    if p_subscription.type = 'alertmanager' then
        return internal.alertmanager_alerts(
            v_alerts, p_now + 3 * (p_subscription.alerts ->> 'repeat_interval')::interval
        );
    end if;
    return jsonb_build_object(
        'version', '4',
        'groupKey', p_group_key,
        'truncatedAlerts', 0,
        'status', case when v_alerts @> '[{"status": "firing"}]' then 'firing' else 'resolved' end,
        'receiver', p_subscription.name,
        'groupLabels', (
            select coalesce(jsonb_object_agg(name, v_alerts #> array['0', 'labels', name]), '{}')
            from jsonb_array_elements_text(p_subscription.alerts -> 'group_by') as name
            where v_alerts #> '{0,labels}' ? name
        ),
        'commonLabels', internal.common_members(v_alerts, 'labels'),
        'commonAnnotations', internal.common_members(v_alerts, 'annotations'),
        'externalURL', '',
        'alerts', v_alerts
    );
end
$$;
comment on function internal.delivery_payload(data.every_subscription, text, jsonb, timestamptz) is
'The body of a request: for a webhook the payload of an Alertmanager, version 4, or facts {version, type,
subscription, facts}; for an Alertmanager the array of POST /api/v2/alerts.';
