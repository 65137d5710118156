create or replace function internal.alert_rule_schema() returns jsonb
language sql immutable parallel safe
begin atomic
    with part as (
        select
            internal.text_rules() -> 'duration' || '{"type": "string",
                "$comment": "Send a number and its unit, such as 90s, 5m, 2h or 30d."}' as duration,
            internal.text_rules() -> 'metric_name'
            || '{"type": "string", "$comment": "Send the name of a metric, or Fact:<Name>."}' as kind,
            internal.text_rules() -> 'fact_kind'
            || '{"type": "string", "$comment": "Send Fact:<Name>."}' as fact_kind,
            internal.text_rules() -> 'label_name' || '{"type": "string",
                "$comment": "A name is a letter or _, then letters, digits, _ and dots."}' as label_name,
            '["count", "sum", "avg", "min", "max", "last", "p50", "p90", "p95", "p99", "rate"]'::jsonb
                as statistics
    ),

    labelled as (
        select
            part.*,
            jsonb_build_object(
                'type', 'object', 'maxProperties', 32, 'propertyNames', label_name,
                'additionalProperties', '{"type": "string", "minLength": 1, "maxLength": 500}'::jsonb
            ) as labels
        from part
    ),

    filtered as (
        select
            labelled.*,
            jsonb_build_object(
                'where', jsonb_build_object(
                    'type', 'object', 'additionalProperties', false, 'properties', jsonb_build_object(
                        'source', internal.text_rules() -> 'source_name' || '{"type": "string",
                            "$comment": "Send text without white space and control characters."}',
                        'labels', labels,
                        'has', jsonb_build_object(
                            'type', 'array', 'minItems', 1, 'maxItems', 32, 'items', label_name
                        )
                    )
                )
            ) as filter
        from labelled
    ),

    chosen as (
        select
            filtered.*,
            -- What a ratio of two statistics, and its share of errors, are computed from.
            filter || jsonb_build_object(
                'kind', kind,
                'statistic', jsonb_build_object('type', 'string', 'enum', statistics),
                'min_count', '{"type": "integer", "minimum": 1, "maximum": 1000000000,
                    "$comment": "Send the least number of observations."}'::jsonb,
                'group_by', internal.text_rules() -> 'group_by'
                || '{"type": "string", "$comment": "Send source or label.<name>."}',
                'divided_by', jsonb_build_object(
                    'type', 'object', 'required', '["kind", "statistic"]'::jsonb,
                    'additionalProperties', false,
                    'properties', filter || jsonb_build_object(
                        'kind', kind, 'statistic', jsonb_build_object('type', 'string', 'enum', statistics)
                    )
                )
            ) as measured,
            jsonb_build_object(
                'servers', jsonb_build_object(
                    'type', 'array', 'minItems', 1, 'maxItems', 1000,
                    'items', internal.text_rules() -> 'server_name'
                    || '{"type": "string", "$comment": "Send the name of a registered server."}'
                ),
                'tags', jsonb_build_object(
                    'type', 'array', 'minItems', 1, 'maxItems', 32,
                    'items', internal.text_rules() -> 'tag' || '{"type": "string",
                        "$comment": "Send letters, digits and _.:/-, with a letter or digit first."}'
                )
            ) as servers
        from filtered
    ),

    compared as (
        select
            chosen.*,
            jsonb_build_object(
                'type', 'object', 'additionalProperties', false,
                'required', '["kind", "statistic", "window"]'::jsonb,
                'properties', measured || jsonb_build_object(
                    'statistic', jsonb_build_object('type', 'string', 'enum', statistics || '"absent"'),
                    'window', duration
                ) || '{
                    "operator": {"type": "string", "enum": [">", ">=", "<", "<=", "==", "!="]},
                    "threshold": {"type": "number", "$comment": "The limit that the value is compared with."},
                    "compare": {"type": "string", "enum": ["value", "change"]}
                }'
            ) as metric
        from chosen
    ),

    alternative as (
        select
            compared.*,
            n,
            name,
            required,
            members
        from compared
        cross join lateral (
            values
            (1, 'metric', metric -> 'required', metric -> 'properties'),
            (2, 'health', '["statuses"]', servers || '{
                "statuses": {"type": "array", "minItems": 1, "maxItems": 4,
                    "items": {"type": "string", "enum": ["down", "degraded", "unknown", "up"]}}
            }'),
            (3, 'keepalive', '[]', servers),
            (4, 'burn_rate', '[]', servers || measured || jsonb_build_object(
                -- A double has 15 digits: more nines are 100, and leave no budget.
                'target', '{"type": "number", "exclusiveMinimum": 0, "maximum": 99.9999999,
                    "$comment": "Send an uptime in percent that leaves an error budget."}'::jsonb,
                'pairs', jsonb_build_object(
                    'type', 'array', 'minItems', 1, 'maxItems', 10,
                    'items', jsonb_build_object(
                        'type', 'object', 'required', '["factor", "short", "long"]'::jsonb,
                        'additionalProperties', false,
                        'properties', jsonb_build_object(
                            'factor', '{
                                "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1000000
                            }'::jsonb,
                            'short', duration,
                            'long', duration
                        )
                    )
                )
            )),
            (5, 'fact', '["kind", "within"]', jsonb_build_object(
                'kind', fact_kind,
                'present', '{"type": "boolean"}'::jsonb,
                'within', duration,
                'join', '{"type": "string", "enum": ["source", "subject", "none"]}'::jsonb,
                'after', jsonb_build_object(
                    'type', 'object', 'required', '["kind"]'::jsonb, 'additionalProperties', false,
                    'properties', jsonb_build_object('kind', fact_kind)
                ),
                'window', duration,
                'during', metric
            ))
        ) as condition (n, name, required, members)
    )

    select
        jsonb_build_object(
            'title', 'AlertRule',
            'description', 'A rule that raises alerts.',
            'type', 'object',
            'required', '["author", "condition"]'::jsonb,
            'additionalProperties', false,
            'properties', jsonb_build_object(
                'name', internal.text_rules() -> 'alert_rule_name' || '{"type": "string",
                    "description": "Name; the same as in the path, if given.",
                    "$comment": "Send a letter or _, then letters, digits and _.:-"}',
                'author', internal.text_rules() -> 'owner' || '{"type": "string", "minLength": 1,
                    "description": "Who defines this version."}',
                'condition', jsonb_build_object(
                    'description',
                    'Its type, and for metric: kind, statistic (count, sum, avg, min, max, last, p50 to'
                    ' p99, rate, absent), window, operator, threshold, where {source, labels, has}, group_by,'
                    ' min_count (fewer observations are no data), divided_by {kind, statistic, where},'
                    ' compare (value, change); health: statuses, servers, tags; keepalive: servers, tags;'
                    ' burn_rate: target, pairs [{factor, short, long}], and servers, tags, or kind,'
                    ' statistic, where, divided_by, group_by, min_count; fact: kind, present, within, join'
                    ' (source, subject, none), and after {kind}, window, or during {a metric condition}.',
                    'type', 'object',
                    'required', '["type"]'::jsonb,
                    'properties', jsonb_build_object('type', jsonb_build_object(
                        'type', 'string', 'enum', jsonb_agg(name order by n)
                    )),
                    'oneOf', jsonb_agg(
                        jsonb_build_object(
                            'title', name,
                            'type', 'object',
                            'required', '["type"]' || required::jsonb,
                            'additionalProperties', false,
                            'properties', members || jsonb_build_object(
                                'type', jsonb_build_object('type', 'string', 'enum', jsonb_build_array(name))
                            )
                        )
                        || case name
                            when 'fact' then '{
                                "anyOf": [{"required": ["after", "window"]}, {"required": ["during"]}],
                                "$comment": "Send after and window, or during."
                            }'
                            else '{}'
                        end::jsonb
                        order by n
                    )
                ),
                'for', duration || '{"description": "How long it is active before it fires, such as 5m."}',
                'keep_firing_for', duration
                || '{"description": "How long it fires when it is no longer active."}',
                'severity', '{"type": "string", "enum": ["critical", "warning", "info"],
                    "description": "warning, unless given."}'::jsonb,
                'labels', labels || '{"description": "Labels of its alerts."}',
                'annotations', jsonb_build_object(
                    'type', 'object', 'maxProperties', 32, 'propertyNames', label_name,
                    'additionalProperties', '{"type": "string", "minLength": 1, "maxLength": 2000}'::jsonb,
                    'description', 'Texts with {{ $value }} and {{ $labels.NAME }}.'
                ),
                'no_data', '{"type": "string", "enum": ["ok", "firing", "keep"],
                    "description": "State without data; ok, unless given."}'::jsonb,
                'enabled', '{"type": "boolean",
                    "description": "true, unless given."}'::jsonb
            )
        )
    from alternative
    group by duration, label_name, labels;
end;
comment on function internal.alert_rule_schema() is
'The JSON Schema of what define_alert_rule takes. internal.schema_faults applies it, and the application
publishes it. What depends on more than one member is in internal.alert_rule_faults.';
