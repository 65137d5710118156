create or replace function internal.spent_by_metrics(
    p_rules data.alert_rule_version[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns table (
    rule_id bigint,
    at timestamptz,
    label text,
    length interval,
    share double precision,
    target double precision,
    observations bigint
)
language sql stable
begin atomic
    with piece as (
        select distinct
            rule.rule_id,
            part.length
        from unnest(p_rules) as rule
        cross join lateral internal.burn_pairs(rule.document -> 'condition') as pair
        cross join lateral unnest(array[pair.short, pair.long]) as part (length)
    ),

    -- Each window is a rule of type metric of its own.
    split as materialized (
        select
            row_number() over () as number,
            rule.rule_id,
            rule.version,
            rule.author,
            rule.valid,
            piece.length,
            rule.document || jsonb_build_object(
                'condition',
                (rule.document -> 'condition') || jsonb_build_object(
                    'type', 'metric', 'window', piece.length, 'operator', '>=', 'threshold', 0
                )
            ) as document
        from unnest(p_rules) as rule
        inner join piece on rule.rule_id = piece.rule_id
    )

    select
        split.rule_id,
        reading.at,
        reading.label,
        split.length,
        reading.value,
        null::double precision,
        reading.observations
    from
        internal.measure_metrics(
            array(
                select
                    row(
                        each.number, each.version, each.document, each.author, each.valid
                    )::data.alert_rule_version
                from split as each
            ),
            p_from, p_to, p_step
        ) as reading
    inner join split on reading.rule_id = split.number;
end;
comment on function internal.spent_by_metrics(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The share that rules of type burn_rate compute from metrics, in each of their windows.';
