create or replace function internal.measure_burn_rates(
    p_rules data.alert_rule_version[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns setof data.alert_reading
language sql stable
begin atomic
    with spent as materialized (
        select *
        from
            internal.spent_by_servers(
                array(
                    select rule from unnest(p_rules) as rule
                    where not rule.document -> 'condition' ? 'kind'
                ),
                p_from, p_to, p_step
            )
        union all
        select *
        from internal.spent_by_metrics(
            array(
                select rule from unnest(p_rules) as rule
                where rule.document -> 'condition' ? 'kind'
            ),
            p_from, p_to, p_step
        )
    ),

    burnt as (
        select
            rule.rule_id,
            long.at,
            long.label,
            long.observations,
            pair.factor,
            pair.long,
            case
                -- The observations of a server are seconds that are known. A server that is known for minutes
                -- has no rate of hours.
                when
                    rule.document -> 'condition' ? 'kind'
                    or long.observations >= 0.5 * extract(epoch from pair.long)
                    then long.share / ((100 - coalesce(
                        (rule.document #>> '{condition,target}')::double precision, long.target
                    )) / 100)
            end as long_rate,
            short.share / ((100 - coalesce(
                (rule.document #>> '{condition,target}')::double precision, long.target
            )) / 100) as short_rate
        from unnest(p_rules) as rule
        cross join lateral internal.burn_pairs(rule.document -> 'condition') as pair
        inner join spent as long on rule.rule_id = long.rule_id and pair.long = long.length
        left join spent as short
            on
                long.rule_id = short.rule_id
                and long.at = short.at
                and long.label = short.label
                and pair.short = short.length
    )

    select
        row(
            rule_id,
            at,
            label,
            (
                array_agg(
                    long_rate order by long_rate >= factor and short_rate >= factor desc nulls last, long
                )
            )[1],
            bool_or(long_rate >= factor and short_rate >= factor),
            max(observations),
            array_agg(long_rate order by long) || array_agg(short_rate order by long)
        )::data.alert_reading
    from burnt
    group by rule_id, at, label;
end;
comment on function internal.measure_burn_rates(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The conditions of rules of type burn_rate: active where both windows of a pair burn the error budget at
least as fast as its factor. value is the rate in the long window of the pair that does, else of the
shortest one; a long window of which less than half is known has no rate. parts are the rates of all long windows, then of all short ones.';
