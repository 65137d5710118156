create or replace function internal.server_schema() returns jsonb
language sql immutable parallel safe
begin atomic
    with regex as (
        select
            -- An address, or a name whose last label is no number.
            'https?://(((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])([.](?=[0-9])|(?![.0-9]))){4}'
            || '|\\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\\]'
            || '|([A-Za-z0-9_-]{1,63}[.])*(?![0-9]+[.]?([:/?#]|$))[A-Za-z0-9_-]{1,63}[.]?)'
            || '(:[0-9]*)?([/?#][!-~]*)?' as url,
            'https?://[!\"$-.0-9;->A-~][!\"$-.0->A-~]*([/?#][!-~]*)?' as template,
            -- Credentials, which every reader would see, or a port that is none.
            '"not": {"pattern": "^[^/?#]*://[^/?#]*(@|:0+([/?#]|$)|:0*(6553[6-9]|655[4-9][0-9]'
            || '|65[6-9][0-9]{2}|6[6-9][0-9]{3}|[7-9][0-9]{4}|[1-9][0-9]{5,})([/?#]|$))"},' as refused
    ),

    pattern as (
        select
            refused || '"pattern": "^' || url || '$",
            "$comment": "Send an http or https URL in ASCII, with a host, a port up to 65535 and no credentials."' as url,
            refused || '"pattern": "^(' || template || '|[{][A-Za-z_][A-Za-z0-9_]*[}][!-~]*)$",
            "$comment": "Send an http or https URL in ASCII, with a host, a port up to 65535 and no credentials; {x} is a variable."' as url_template,
            '"not": {"pattern": "^latest$|^ *[~^<>=]|[*]|[|]|,| - |(^|[.])[xX]([.+-]|$)"},
            "$comment": "Send the version itself, such as 1.0.2, not a range or latest."' as exact
        from regex
    ),

    input as (
        select '{
            "description": {"type": "string", "maxLength": 5000},
            "isRequired": {"type": "boolean"},
            "isSecret": {"type": "boolean"},
            "format": {"type": "string", "enum": ["string", "number", "boolean", "filepath"]},
            "value": {"type": "string", "maxLength": 5000},
            "default": {"type": "string", "maxLength": 5000},
            "placeholder": {"type": "string", "maxLength": 5000},
            "choices": {"type": "array", "maxItems": 500, "items": {"type": "string", "maxLength": 1000}}
        }'::jsonb as members
    ),

    variables as (
        select
            jsonb_build_object('variables', jsonb_build_object(
                'type', 'object',
                'additionalProperties', jsonb_build_object(
                    'type', 'object', 'properties', members, 'additionalProperties', false
                )
            )) as members
        from input
    ),

    -- A header or an environment variable.
    pair as (
        select
            jsonb_build_object(
                'type', 'array', 'maxItems', 200,
                'items', jsonb_build_object(
                    'type', 'object', 'required', '["name"]'::jsonb, 'additionalProperties', false,
                    'properties',
                    input.members || variables.members
                    || '{"name": {"type": "string", "minLength": 1, "maxLength": 200}}'
                )
            ) as list
        from input
        cross join variables
    ),

    argument as (
        select
            jsonb_build_object(
                'type', 'array', 'maxItems', 200,
                'items', jsonb_build_object(
                    'type', 'object', 'required', '["type"]'::jsonb, 'additionalProperties', false,
                    'anyOf', '[
                        {"required": ["name"], "properties": {"type": {"const": "named"}}},
                        {"required": ["value"], "properties": {"type": {"const": "positional"}}},
                        {"required": ["valueHint"], "properties": {"type": {"const": "positional"}}}
                    ]'::jsonb,
                    '$comment', 'A named argument has a name, a positional one a value or valueHint.',
                    'properties',
                    input.members || variables.members || '{
                        "type": {"type": "string", "enum": ["positional", "named"]},
                        "name": {"type": "string", "maxLength": 1000},
                        "valueHint": {"type": "string", "maxLength": 1000},
                        "isRepeated": {"type": "boolean"}
                    }'
                )
            ) as list
        from input
        cross join variables
    ),

    remote as (
        select
            jsonb_build_object(
                'type', jsonb_build_object('type', 'string', 'enum', '["streamable-http", "sse"]'::jsonb),
                'url', ('{"type": "string", "maxLength": 2000,' || pattern.url_template || '}')::jsonb,
                'headers', pair.list
            ) as members
        from pattern
        cross join pair
    ),

    package as (
        select
            ('{
                "registryType": {"type": "string", "minLength": 1, "maxLength": 100},
                "registryBaseUrl": {"type": "string", "maxLength": 2000,' || pattern.url || '},
                "identifier": {"type": "string", "minLength": 1, "maxLength": 1000},
                "version": {"type": "string", "minLength": 1, "maxLength": 255, "not": {
                    "pattern": "^latest$|^ *[~^<>=]|[*]|[|]|,| - |(^|[.])[xX]([.+-]|$)"
                }, "$comment": "Send the version itself, such as 1.0.2, not a range or latest."},
                "fileSha256": {"type": "string", "maxLength": 64, "pattern": "^[a-f0-9]{64}$",
                    "$comment": "Send 64 hexadecimal digits in lower case."},
                "runtimeHint": {"type": "string", "maxLength": 200}
            }')::jsonb || jsonb_build_object(
                'runtimeArguments', argument.list,
                'packageArguments', argument.list,
                'environmentVariables', pair.list,
                'transport', jsonb_build_object(
                    'type', 'object', 'required', '["type"]'::jsonb, 'additionalProperties', false,
                    'anyOf', '[{"properties": {"type": {"const": "stdio"}}}, {"required": ["url"]}]'::jsonb,
                    '$comment', 'A transport other than stdio has a url.',
                    'properties',
                    remote.members
                    || '{"type": {"type": "string", "enum": ["stdio", "streamable-http", "sse"]}}'
                )
            ) as members
        from pattern
        cross join pair
        cross join argument
        cross join remote
    ),

    capability as (
        select '{"type": "array", "maxItems": 2000, "items": {
            "type": "object", "required": ["name"],
            "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 200}}
        }}'::jsonb as list
    )

    select
        jsonb_build_object(
            'title', 'ServerDocument',
            'description', 'A server.json (schema 2025-12-11), and what this registry adds to it.',
            'type', 'object',
            'required', '["description", "version"]'::jsonb,
            'additionalProperties', false,
            'properties',
            ('{
                "description": {"type": "string", "minLength": 1, "maxLength": 100,
                    "description": "What the server does."},
                "version": {"type": "string", "minLength": 1, "maxLength": 255,' || pattern.exact || ',
                    "description": "Exact version, such as 1.0.2."},
                "title": {"type": "string", "minLength": 1, "maxLength": 100,
                    "description": "Name for people."},
                "websiteUrl": {"type": "string", "maxLength": 2000,' || pattern.url || ',
                    "description": "Home page."},
                "repository": {"type": "object", "required": ["url", "source"], "additionalProperties": false,
                    "description": "Source code: {url, source: github, subfolder}.",
                    "properties": {
                        "url": {"type": "string", "maxLength": 2000,' || pattern.url || '},
                        "source": {"type": "string", "minLength": 1, "maxLength": 100},
                        "id": {"type": "string", "maxLength": 200},
                        "subfolder": {"type": "string", "maxLength": 1000}
                    }},
                "icons": {"type": "array", "maxItems": 20, "description": "Icons: {src, mimeType, sizes}.",
                    "items": {"type": "object", "required": ["src"], "additionalProperties": false,
                    "properties": {
                        "src": {"type": "string", "maxLength": 255, "pattern": "^https://[!-~]+$",
                            "$comment": "Send an https URL."},
                        "mimeType": {"type": "string", "enum":
                            ["image/png", "image/jpeg", "image/jpg", "image/svg+xml", "image/webp"]},
                        "sizes": {"type": "array", "maxItems": 20, "items":
                            {"type": "string", "maxLength": 20, "pattern": "^([0-9]+x[0-9]+|any)$",
                            "$comment": "Send WxH, such as 48x48, or any."}},
                        "theme": {"type": "string", "enum": ["light", "dark"]}
                    }}},
                "$schema": {"type": "string", "maxLength": 500, "description": "URL of the schema."},
                "_meta": {"type": "object", "description": "Anything else, by reverse-DNS names."},
                "status": {"type": "string", "enum": ["active", "deprecated", "deleted"],
                    "description": "active, unless given."},
                "keepalive_seconds": {"type": "integer", "minimum": 1, "maximum": 86400,
                    "description": "Seconds between heartbeats; after three times as long it is unknown."},
                "failures_to_down": {"type": "integer", "minimum": 1, "maximum": 20,
                    "description": "Bad reports in a row that count."},
                "successes_to_recover": {"type": "integer", "minimum": 1, "maximum": 20,
                    "description": "Good reports in a row that count."},
                "sla_target": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100,
                    "description": "Uptime that is promised, in per cent."},
                "probe": {"type": "boolean", "description": "Whether the service asks the remotes."}
            }')::jsonb || jsonb_build_object(
                'name',
                internal.text_rules() -> 'server_name' || '{"type": "string",
                    "description": "Name; the same as in the path, if given.",
                    "$comment": "Send a namespace, one slash and a name, such as io.github.acme/search; or a plain name. Neither is only dots."}',
                'owner',
                internal.text_rules() -> 'owner' || '{"type": "string", "minLength": 1,
                    "description": "Only requests with this owner can change the entry."}',
                'tier',
                internal.text_rules() -> 'tag' || '{"type": "string", "description": "How important it is.",
                    "$comment": "Send letters, digits and _.:/-, with a letter or digit first."}',
                'source',
                internal.text_rules() -> 'source_name' || '{"type": "string",
                    "description": "Source of its metrics and facts.",
                    "$comment": "Send text without white space and control characters."}',
                'tags',
                jsonb_build_object(
                    'type', 'array', 'maxItems', 32, 'description', 'Words to find it by.',
                    'items', internal.text_rules() -> 'tag' || '{"type": "string",
                        "$comment": "Send letters, digits and _.:/-, with a letter or digit first."}'
                ),
                'remotes',
                jsonb_build_object(
                    'type', 'array', 'maxItems', 100,
                    'description', 'Where it runs: {type: streamable-http or sse, url, headers}.',
                    'items', jsonb_build_object(
                        'type', 'object', 'required', '["type", "url"]'::jsonb, 'additionalProperties', false,
                        'properties', remote.members || variables.members
                    )
                ),
                'packages',
                jsonb_build_object(
                    'type', 'array', 'maxItems', 100,
                    'description',
                    'How to install it: {registryType, identifier, version, transport: {type: stdio}}.',
                    'items', jsonb_build_object(
                        'type', 'object', 'required', '["registryType", "identifier", "transport"]'::jsonb,
                        'additionalProperties', false, 'properties', package.members
                    )
                ),
                'capabilities',
                jsonb_build_object(
                    'type', 'object', 'additionalProperties', false,
                    'description', 'What it offers, as its lists say: {tools, resources, prompts}.',
                    'properties', jsonb_build_object(
                        'tools', capability.list, 'resources', capability.list, 'prompts', capability.list
                    )
                )
            )
        )
    from pattern
    cross join variables
    cross join remote
    cross join package
    cross join capability;
end;
comment on function internal.server_schema() is
'The JSON Schema of what register_server takes. internal.schema_faults applies it, and the application
publishes it: server.json of the official MCP registry, schema 2025-12-11, and what this registry adds.';
