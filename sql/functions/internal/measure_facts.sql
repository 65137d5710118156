create or replace function internal.measure_facts(
    p_rules data.alert_rule_version[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns setof data.alert_reading
language sql stable
begin atomic
    select *
    from
        internal.facts_after_facts(
            array(
                select rule from unnest(p_rules) as rule
                where rule.document -> 'condition' ? 'after'
            ),
            p_from, p_to, p_step
        )
    union all
    select *
    from internal.facts_during_metrics(
        array(
            select rule from unnest(p_rules) as rule
            where rule.document -> 'condition' ? 'during'
        ),
        p_from, p_to, p_step
    );
end;
comment on function internal.measure_facts(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is 'The conditions of rules of type fact.';
