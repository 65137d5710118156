create or replace function internal.measure_metrics(
    p_rules data.alert_rule_version[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns setof data.alert_reading
language plpgsql stable
as $$
begin
    return query
    with condition as materialized (
        select
            rule.rule_id,
            kind.kind_id,
            divisor.kind_id as divisor_id,
            named.statistic,
            named."window",
            named.operator,
            named.threshold,
            named.group_by,
            named."where" as filter,
            coalesce(named.min_count, 0) as min_count,
            named.divided_by,
            coalesce(named."compare" = 'change', false) as changes,
            named.statistic = 'absent' or rule.document ->> 'no_data' = 'firing' as expects
        from unnest(p_rules) as rule
        cross join jsonb_to_record(rule.document -> 'condition') as named (
            kind text, statistic text, "window" interval, operator text, threshold double precision,
            "compare" text, group_by text, "where" jsonb, min_count bigint, divided_by jsonb
        )
        left join data.kind on named.kind = kind.name
        left join data.kind as divisor on named.divided_by ->> 'kind' = divisor.name
    ),

    term as (
        select
            rule_id, 'over' as role, kind_id, statistic, "window", group_by, filter, interval '0' as back
        from condition
        union all
        select
            rule_id, 'under', divisor_id, divided_by ->> 'statistic', "window", group_by,
            divided_by -> 'where', interval '0'
        from condition
        where divided_by is not null
        union all
        select rule_id, 'over_before', kind_id, statistic, "window", group_by, filter, "window"
        from condition
        where changes
        union all
        select
            rule_id, 'under_before', divisor_id, divided_by ->> 'statistic', "window", group_by,
            divided_by -> 'where', "window"
        from condition
        where changes and divided_by is not null
    ),

    -- Rules that look at the same windows share what is computed.
    numbered as materialized (
        select
            ranked.*,
            dense_rank() over (
                order by ranked."window", ranked.group_by, ranked.filter, ranked.back, ranked.statistics
            ) as need
        from (
            select
                term.*,
                -- The others cost next to nothing.
                array_remove(
                    array[
                        case when bool_or(term.statistic = 'last') over same then 'last' end,
                        case when bool_or(term.statistic = 'rate') over same then 'rate_per_second' end,
                        case when bool_or(term.statistic = 'p50') over same then 'p50' end,
                        case when bool_or(term.statistic = 'p90') over same then 'p90' end,
                        case when bool_or(term.statistic = 'p95') over same then 'p95' end,
                        case when bool_or(term.statistic = 'p99') over same then 'p99' end
                    ],
                    null
                ) as statistics
            from term
            where term.kind_id is not null
            window same as (
                partition by term."window", term.group_by, term.filter, term.back, term.kind_id
            )
        ) as ranked
    ),

    measured as materialized (
        select
            need.need,
            rolling.at + need.back as at,
            (rolling.statistics).kind_id as kind_id,
            (rolling.statistics).label as label,
            rolling.statistics
        from (
            select
                numbered.need, numbered."window", numbered.group_by, numbered.filter, numbered.back,
                numbered.statistics, array_agg(distinct numbered.kind_id) as kinds
            from numbered
            group by
                numbered.need, numbered."window", numbered.group_by, numbered.filter, numbered.back,
                numbered.statistics
        ) as need
        cross join lateral internal.rolling_statistics(
            need.kinds, internal.rule_series(need.kinds, need.filter), need.group_by, need."window",
            p_from - need.back, p_to - need.back, p_step, need.statistics
        ) as rolling
    ),

    reading as (
        select
            numbered.rule_id,
            measured.at,
            measured.label,
            internal.pick_statistic(measured.statistics, numbered.statistic) as value,
            (measured.statistics).count as observations,
            null::double precision[] as parts
        from numbered
        inner join condition on numbered.rule_id = condition.rule_id
        inner join measured on numbered.need = measured.need and numbered.kind_id = measured.kind_id
        where
            not condition.changes
            and condition.divided_by is null
            and (measured.statistics).count >= condition.min_count
        union all
        select
            compound.rule_id,
            compound.at,
            compound.label,
            case
                when compound.changes then internal.quotient(part.now - part.before, abs(part.before))
                else part.now
            end,
            compound.observations,
            array[compound.over, compound.under, compound.over_before, compound.under_before]
        from (
            select
                numbered.rule_id,
                measured.at,
                measured.label,
                condition.changes,
                condition.divided_by is not null as divides,
                -- Where some calls are seen and none of them failed, none failed.
                condition.statistic in ('count', 'sum', 'rate') as adds,
                condition.min_count,
                -- What a share is of, in the window and in the one before.
                coalesce(sum((measured.statistics).count) filter (
                    where numbered.role = case when condition.divided_by is null then 'over' else 'under' end
                ), 0) as counted,
                coalesce(sum((measured.statistics).count) filter (
                    where numbered.role
                    = case when condition.divided_by is null then 'over_before' else 'under_before' end
                ), 0) as counted_before,
                max(internal.pick_statistic(measured.statistics, numbered.statistic))
                filter (where numbered.role = 'over') as over,
                max(internal.pick_statistic(measured.statistics, numbered.statistic))
                filter (where numbered.role = 'under') as under,
                max(internal.pick_statistic(measured.statistics, numbered.statistic))
                filter (where numbered.role = 'over_before') as over_before,
                max(internal.pick_statistic(measured.statistics, numbered.statistic))
                filter (where numbered.role = 'under_before') as under_before,
                coalesce(sum((measured.statistics).count) filter (where numbered.role in ('over', 'under')), 0)::bigint
                as observations
            from numbered
            inner join condition on numbered.rule_id = condition.rule_id
            inner join measured on numbered.need = measured.need and numbered.kind_id = measured.kind_id
            where condition.changes or condition.divided_by is not null
            group by
                numbered.rule_id, measured.at, measured.label, condition.changes, condition.divided_by,
                condition.statistic, condition.min_count
        ) as compound
        cross join lateral (
            select
                case
                    when not compound.divides then compound.over
                    when compound.adds then internal.quotient(coalesce(compound.over, 0), compound.under)
                    else internal.quotient(compound.over, compound.under)
                end as now,
                -- Nothing compares with none.
                case
                    when not compound.divides then compound.over_before
                    else internal.quotient(compound.over_before, compound.under_before)
                end as before
        ) as part
        where
            compound.counted >= compound.min_count
            and (not compound.changes or compound.counted_before >= compound.min_count)
    ),

    missing as (
        select
            condition.rule_id,
            expected.at,
            expected.label,
            condition.statistic
        from condition
        inner join (
            select
                wanted.*,
                member.at,
                member.label
            from (
                select distinct kind_id, group_by, filter
                from condition
                where expects
            ) as wanted
            cross join lateral internal.expected_groups(
                wanted.kind_id, internal.rule_series(array[wanted.kind_id], wanted.filter), wanted.group_by,
                p_from, p_to, p_step
            ) as member
        ) as expected
            on
                condition.kind_id = expected.kind_id
                and condition.group_by is not distinct from expected.group_by
                and condition.filter = expected.filter
        where
            condition.expects
            and not exists (
                select from reading
                where
                    reading.rule_id = condition.rule_id
                    and reading.at = expected.at
                    and reading.label is not distinct from expected.label
            )
    )

    select
        reading.rule_id,
        reading.at,
        coalesce(reading.label, ''),
        reading.value,
        case
            when condition.statistic = 'absent' then false
            else internal.compares(reading.value, condition.operator, condition.threshold)
        end,
        reading.observations,
        reading.parts
    from reading
    inner join condition on reading.rule_id = condition.rule_id
    union all
    select
        missing.rule_id,
        missing.at,
        coalesce(missing.label, ''),
        null,
        case when missing.statistic = 'absent' then true end,
        0,
        null
    from missing;
end
$$;
comment on function internal.measure_metrics(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The conditions of rules of type metric for every group at each of p_from, p_from + p_step and so on up
to p_to. parts are the statistic, its divisor, and the same of the window before. A group without data
has a row, with active null, only where the rule fires without data; absent is active there. Fewer
observations than min_count, of what divides where there is a divisor, are no data.';
