create or replace function internal.kpi_schema() returns jsonb
language sql immutable parallel safe
begin atomic
    with term as (
        select jsonb_build_object(
            'type', 'object', 'required', '["kind", "statistic"]'::jsonb, 'additionalProperties', false,
            'properties', jsonb_build_object(
                'kind', internal.text_rules() -> 'metric_name'
                || '{"type": "string", "$comment": "Send the name of a metric, or Fact:<Name>."}',
                'statistic', '{"type": "string", "enum": ["count", "sum", "increase"]}'::jsonb,
                'where', jsonb_build_object(
                    'type', 'object', 'additionalProperties', false, 'properties', jsonb_build_object(
                        'source', internal.text_rules() -> 'source_name' || '{"type": "string",
                            "$comment": "Send text without white space and control characters."}',
                        'labels', jsonb_build_object(
                            'type', 'object', 'maxProperties', 32,
                            'propertyNames', internal.text_rules() -> 'label_name' || '{"type": "string",
                                "$comment": "A name is a letter or _, then letters, digits, _ and dots."}',
                            'additionalProperties',
                            '{"type": "string", "minLength": 1, "maxLength": 500}'::jsonb
                        ),
                        'has', jsonb_build_object(
                            'type', 'array', 'minItems', 1, 'maxItems', 32,
                            'items', internal.text_rules() -> 'label_name' || '{"type": "string",
                                "$comment": "A name is a letter or _, then letters, digits, _ and dots."}'
                        )
                    )
                )
            )
        ) as rule
    )

    select
        jsonb_build_object(
            'title', 'Kpi',
            'description', 'A number that is compared with a target: a sum, or a quotient of two sums.',
            'type', 'object',
            'required', '["author", "numerator"]'::jsonb,
            'additionalProperties', false,
            'properties', jsonb_build_object(
                'name', internal.text_rules() -> 'identifier' || '{"type": "string",
                    "description": "Name; the same as in the path, if given.",
                    "$comment": "Send letters, digits and _.:-, with a letter or digit first."}',
                'author', internal.text_rules() -> 'owner' || '{"type": "string", "minLength": 1,
                    "description": "Who defines this version."}',
                'description', '{"type": "string", "maxLength": 2000,
                    "description": "What it says."}'::jsonb,
                'numerator', rule || '{"description":
                    "{kind, statistic (count, sum; increase of counters), where {source, labels, has}}"}',
                'denominator', rule || '{"description": "The same."}',
                'unit', internal.text_rules() -> 'unit' || '{"type": "string", "minLength": 1,
                    "description": "Unit; % is 100 times the quotient."}',
                'target', '{"type": "number", "description": "In the unit.",
                    "$comment": "The value that is to be reached."}'::jsonb,
                'direction', '{"type": "string", "enum": ["up", "down"],
                    "description": "Better; up, unless given."}'::jsonb
            )
        )
    from term;
end;
comment on function internal.kpi_schema() is
'The JSON Schema of what define_kpi takes. internal.schema_faults applies it, and the application publishes
it. What depends on more than one member is in internal.kpi_faults.';
