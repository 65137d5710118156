create or replace function internal.alertmanager_alerts(p_alerts jsonb, p_until timestamptz)
returns jsonb
language sql stable
begin atomic
    select
        jsonb_agg(
            jsonb_build_object(
                'labels', (
                    select jsonb_object_agg(regexp_replace(label.key, '[^A-Za-z0-9_]', '_', 'g'), label.value)
                    from jsonb_each_text(alert.item -> 'labels') as label
                    where label.value <> ''
                ),
                'annotations', alert.item -> 'annotations',
                'startsAt', alert.item -> 'startsAt',
                'endsAt', case alert.item ->> 'status'
                    when 'firing' then to_jsonb(p_until)
                    else alert.item -> 'endsAt'
                end
            )
            order by alert.place
        )
    from jsonb_array_elements(p_alerts) with ordinality as alert (item, place);
end;
comment on function internal.alertmanager_alerts(jsonb, timestamptz) is
'Alerts as POST /api/v2/alerts of an Alertmanager takes them: names of labels without dots, no empty
labels; those that are firing end at p_until unless they are sent again.';
