create or replace function internal.subscription_alerts(p_type text, p_alerts jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    select
        case p_type
            -- An Alertmanager groups and repeats itself, and wants to hear of an alert while it is firing.
            when 'alertmanager' then '{"group_by": [], "group_wait": "0s", "group_interval": "0s",
                "repeat_interval": "1m", "matchers": []}'
            else '{"group_by": ["alertname"], "group_wait": "30s", "group_interval": "5m",
                "repeat_interval": "4h", "matchers": []}'
        end::jsonb || p_alerts;
end;
comment on function internal.subscription_alerts(text, jsonb) is
'Which alerts a subscription wants, with every default in its place; null for none.';
