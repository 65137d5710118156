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
    -- Each window is a rule of type metric of its own.
    with part as materialized (
        select
            row_number() over () as number,
            rule.rule_id,
            rule.version,
            rule.author,
            rule.valid,
            wanted.length,
            rule.document || jsonb_build_object(
                'condition',
                (rule.document -> 'condition') || jsonb_build_object(
                    'type', 'metric', 'window', wanted.length, 'operator', '>=', 'threshold', 0
                )
            ) as document
        from unnest(p_rules) as rule
        cross join lateral (
            select distinct window_length.length
            from internal.burn_pairs(rule.document -> 'condition') as pair
            cross join lateral unnest(array[pair.short, pair.long]) as window_length (length)
        ) as wanted
    )

    select
        part.rule_id,
        reading.at,
        reading.label,
        part.length,
        reading.value,
        null::double precision,
        reading.observations
    from internal.measure_metrics(
        array(
            select row(part.number, part.version, part.document, part.author, part.valid)::data.alert_rule_version
            from part
        ),
        p_from, p_to, p_step
    ) as reading
    inner join part on reading.rule_id = part.number;
end;
comment on function internal.spent_by_metrics(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The share that rules of type burn_rate compute from metrics, in each of their windows.';
