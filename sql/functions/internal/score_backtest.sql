create or replace function internal.score_backtest(p_alerts jsonb, p_incidents jsonb) returns json
language sql stable
begin atomic
    with alert as (
        select
            row_number() over () as number,
            tstzrange(sent."from", sent."to", '[]') as during
        from jsonb_to_recordset(p_alerts) as sent ("from" timestamptz, "to" timestamptz)
    ),

    incident as (
        select
            row_number() over (order by sent."from", sent."to") as number,
            tstzrange(sent."from", sent."to", '[]') as during
        from jsonb_to_recordset(p_incidents) as sent ("from" timestamptz, "to" timestamptz)
    ),

    hit as (
        select
            incident.number,
            incident.during,
            min(lower(alert.during)) as alerted_at
        from incident
        left join alert on incident.during && alert.during
        group by incident.number, incident.during
    ),

    false_alarm as (
        select count(*) as count
        from alert
        where not exists (
            select from incident
            where incident.during && alert.during
        )
    ),

    total as (
        select count(*) as count
        from alert
    )

    select
        json_build_object(
            'count', count(hit.number),
            'detected', count(hit.alerted_at),
            'recall', internal.quotient(count(hit.alerted_at), count(hit.number)),
            'precision', internal.quotient(max(total.count) - max(false_alarm.count), max(total.count)),
            'false_alarms', max(false_alarm.count),
            'median_lead_seconds', percentile_cont(0.5) within group (
                order by extract(epoch from lower(hit.during) - hit.alerted_at)
            ) filter (where hit.alerted_at is not null),
            'items', coalesce(
                json_agg(
                    json_build_object(
                        'from', lower(hit.during),
                        'to', upper(hit.during),
                        'alerted_at', hit.alerted_at,
                        'lead_seconds', extract(epoch from lower(hit.during) - hit.alerted_at)
                    )
                    order by hit.number
                ) filter (where hit.number is not null),
                '[]'
            )
        )
    from total
    cross join false_alarm
    left join hit on true;
end;
comment on function internal.score_backtest(jsonb, jsonb) is
'How alerts [{from, to}] meet incidents [{from, to}]: recall is the share of incidents in which an alert
was firing, precision the share of alerts that were firing in an incident. lead_seconds is how long before
the start of an incident its first alert fired; negative after it.';
