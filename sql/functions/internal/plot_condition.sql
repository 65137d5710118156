create or replace function internal.plot_condition(
    p_rule data.alert_rule_version,
    p_name text,
    p_label text,
    p_from timestamptz,
    p_to timestamptz,
    p_step interval,
    p_points integer
)
returns json
language sql stable
begin atomic
    with shape as (
        select
            p_rule.document -> 'condition' as condition,
            -- What comes next to the threshold shows whether it is reached.
            case when p_rule.document #>> '{condition,operator}' like '<%' then -1 else 1 end as sign,
            extract(epoch from p_to - p_from) as seconds,
            -- No point is between two evaluations.
            least(
                p_points, ceil(extract(epoch from p_to - p_from) / extract(epoch from p_step))
            )::integer as points
    ),

    reading as (
        select
            measured.label,
            least(
                floor(extract(epoch from measured.at - p_from) * shape.points / shape.seconds),
                shape.points - 1
            ) as place,
            shape.sign * measured.value as height
        from internal.measure_conditions(array[p_rule], p_from, p_to, p_step) as measured
        cross join shape
        where measured.label = coalesce(p_label, measured.label)
    ),

    drawn as (
        select
            label,
            max(height) as top
        from reading
        group by label
        order by top desc nulls last, label asc
        limit 1
    ),

    point as (
        select
            place.n,
            max(reading.height) as height
        from shape
        cross join generate_series(0, shape.points - 1) as place (n)
        cross join drawn
        left join reading on place.n = reading.place and drawn.label = reading.label
        group by place.n
    ),

    series as (
        select
            json_agg(
                json_build_array(p_from + point.n * (p_to - p_from) / shape.points, shape.sign * point.height)
                order by point.n
            ) as points
        from point
        cross join shape
    )

    select
        json_build_object(
            'labels', internal.alert_labels(
                p_name, p_rule.document, internal.rule_label(shape.condition), drawn.label
            ),
            'operator', shape.condition ->> 'operator',
            'threshold', shape.condition -> 'threshold',
            'points', series.points
        )
    from drawn
    cross join series
    cross join shape;
end;
comment on function internal.plot_condition(
    data.alert_rule_version, text, text, timestamptz, timestamptz, interval, integer
) is
'The values of a condition for one group, at most p_points of them: {labels, operator, threshold, points:
[[at, value]]}. A value is the largest one until the next point, for < and <= the smallest, and null where
there is no data. p_label is the group; null for the one that comes nearest to the threshold, or furthest
beyond it. Null where the condition has no groups.';
