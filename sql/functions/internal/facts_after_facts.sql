create or replace function internal.facts_after_facts(
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
            rule.rule_id,
            named.*,
            -- What is not there yet may still come.
            case when named.present then interval '0' else named.within end as patience
        from unnest(p_rules) as rule
        cross join jsonb_to_record(rule.document -> 'condition') as named (
            kind text, present boolean, within interval, "window" interval, "join" text, after jsonb
        )
    ),

    earlier as materialized (
        select
            condition.rule_id,
            fact.*
        from condition
        cross join
            lateral internal.rule_facts(
                condition.after ->> 'kind', condition."join",
                p_from - condition."window" - condition.patience, p_to - condition.patience
            ) as fact
        where fact.label is not null
    ),

    later as materialized (
        select
            condition.rule_id,
            fact.*
        from condition
        cross join lateral internal.rule_facts(
            condition.kind, condition."join", p_from - condition."window" - condition.patience, p_to
        ) as fact
    ),

    -- Of all facts that follow one, the first counts: in one pass, however many there are.
    followed as materialized (
        select
            merged.rule_id,
            merged.label,
            merged.ts,
            merged.first,
            min(merged.ts) filter (where not merged.first) over (
                partition by merged.rule_id, merged.label
                order by merged.ts
                range between current row and unbounded following
            ) as followed_at
        from (
            select
                earlier.*,
                true as first
            from earlier
            union all
            select
                later.*,
                false
            from later
        ) as merged
    ),

    pair as (
        select
            condition.rule_id,
            instant.at,
            followed.label,
            condition.present = coalesce(
                followed.followed_at <= least(followed.ts + condition.within, instant.at), false
            ) as counts
        from condition
        cross join generate_series(p_from, p_to, p_step) as instant (at)
        inner join followed
            on
                condition.rule_id = followed.rule_id
                and followed.first
                and followed.ts > instant.at - condition."window" - condition.patience
                and followed.ts <= instant.at - condition.patience
    )

    select
        row(
            pair.rule_id,
            pair.at,
            pair.label,
            count(*) filter (where pair.counts),
            bool_or(pair.counts),
            count(*),
            null
        )::data.alert_reading
    from pair
    group by pair.rule_id, pair.at, pair.label;
end;
comment on function internal.facts_after_facts(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The conditions of rules that look for a fact within a time after another one. value is how many facts of
the window have, or lack, the one that should follow; observations are all of them.';
