create or replace function internal.subscription_schema() returns jsonb
language sql immutable parallel safe
begin atomic
    with part as (
        select
            internal.text_rules() -> 'duration' || '{"type": "string",
                "$comment": "Send a number and its unit, such as 30s, 5m or 4h."}' as duration,
            internal.text_rules() -> 'owner' || '{"type": "string", "description": "Who subscribes.",
                "$comment": "Send your name as author."}' as author,
            -- As of a website: a host, and no credentials.
            internal.server_schema() #> '{properties,websiteUrl}'
            || '{"description": "Where requests go; of an Alertmanager, its start page."}' as url
    )

    select
        jsonb_build_object(
            'type', 'object',
            'title', 'SubscriptionDocument',
            'required', '["author", "url"]'::jsonb,
            'additionalProperties', false,
            '$comment', 'Send a subscription with author, url, and alerts or facts.',
            'properties', jsonb_build_object(
                'name', internal.text_rules() -> 'identifier' || '{"type": "string",
                    "description": "Name; the same as in the path, if given.",
                    "$comment": "Send letters, digits and _.:-, with a letter, a digit or _ first."}',
                'author', author,
                'type', '{"type": "string", "enum": ["webhook", "alertmanager"],
                    "description": "webhook, unless given."}'::jsonb,
                'url', url,
                'secret',
                '{"type": "string", "maxLength": 94,
                    "description": "Key of the signatures; made if left out.",
                    "pattern": "^whsec_(([A-Za-z0-9+/]{4}){8,21}([A-Za-z0-9+/]{2}(==)?)?|([A-Za-z0-9+/]{4}){8,20}[A-Za-z0-9+/]{3}=?)$",
                    "$comment": "Send whsec_ and the base64 of 24 to 64 random bytes, or leave it out."}'::jsonb,
                'alerts', jsonb_build_object(
                    'type', 'object',
                    'description',
                    'Which alerts: {matchers [{name, operator, value}], group_by [labels], group_wait,'
                    ' group_interval, repeat_interval}; {} for all.',
                    'additionalProperties', false, 'properties', jsonb_build_object(
                        'matchers', internal.matchers_schema(),
                        'group_by', jsonb_build_object(
                            'type', 'array', 'maxItems', 20,
                            'items', internal.text_rules() -> 'label_name' || '{"type": "string",
                                "$comment": "Send the name of a label."}'
                        ),
                        'group_wait', duration,
                        'group_interval', duration,
                        'repeat_interval', duration
                    )
                ),
                'facts', jsonb_build_object(
                    'type', 'object',
                    'description', 'Which facts: {kinds, sources}; {} for all.',
                    'additionalProperties', false, 'properties', jsonb_build_object(
                        'kinds', jsonb_build_object(
                            'type', 'array', 'minItems', 1, 'maxItems', 100,
                            'items', internal.text_rules() -> 'fact_kind' || '{"type": "string",
                                "$comment": "Send Fact:<Name>."}'
                        ),
                        'sources', jsonb_build_object(
                            'type', 'array', 'minItems', 1, 'maxItems', 100,
                            'items', internal.text_rules() -> 'source_name' || '{"type": "string",
                                "$comment": "Send text without white space and control characters."}'
                        )
                    )
                ),
                'enabled', '{"type": "boolean", "description": "true, unless given."}'::jsonb
            )
        )
    from part;
end;
comment on function internal.subscription_schema() is
'JSON Schema of a subscription, the document of api.subscribe.';
