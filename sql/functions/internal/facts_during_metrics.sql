create or replace function internal.facts_during_metrics(
    p_rules data.alert_rule_version[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns setof data.alert_reading
language sql stable
begin atomic
    with condition as materialized (
        select
            rule,
            rule.rule_id,
            named.*,
            coalesce(named.present, true) as expected,
            coalesce(named."join", 'source') as joined_by
        from unnest(p_rules) as rule
        cross join jsonb_to_record(rule.document -> 'condition') as named (
            kind text, present boolean, within interval, "join" text, during jsonb
        )
    ),

    fact as materialized (
        select
            condition.rule_id,
            found.*
        from condition
        cross join lateral internal.rule_facts(
            condition.kind, condition.joined_by, p_from - condition.within, p_to
        ) as found
    )

    select
        row(
            reading.rule_id,
            reading.at,
            reading.label,
            reading.value,
            reading.active and (
                exists (
                    select from fact
                    where
                        fact.rule_id = reading.rule_id
                        and fact.label = case condition.joined_by when 'source' then reading.label else '' end
                        and fact.ts > reading.at - condition.within
                        and fact.ts <= reading.at
                ) = condition.expected
            ),
            reading.observations,
            reading.parts
        )::data.alert_reading
    from
        internal.measure_metrics(
            array(
                select
                    row(
                        stated.rule_id, 0,
                        jsonb_build_object(
                            'no_data', (stated.rule).document -> 'no_data',
                            'condition',
                            stated.during || case stated.joined_by
                                when 'source' then '{"group_by": "source"}' else '{}'
                            end::jsonb
                        ),
                        '', null
                    )::data.alert_rule_version
                from condition as stated
            ),
            p_from, p_to, p_step
        ) as reading
    inner join condition on reading.rule_id = condition.rule_id;
end;
comment on function internal.facts_during_metrics(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The conditions of rules that look for a fact while a condition on a metric holds.';
