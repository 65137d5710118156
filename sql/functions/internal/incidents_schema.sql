create or replace function internal.incidents_schema() returns jsonb
language sql immutable parallel safe
begin atomic
    select '{
            "type": "array",
            "maxItems": 1000,
            "items": {
                "type": "object",
                "required": ["from", "to"],
                "additionalProperties": false,
                "properties": {
                    "from": {
                        "type": "string",
                        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-](0[0-9]|1[0-5]):[0-5][0-9])$",
                        "format": "date-time",
                        "$comment": "Send an RFC 3339 timestamp."
                    },
                    "to": {
                        "type": "string",
                        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-](0[0-9]|1[0-5]):[0-5][0-9])$",
                        "format": "date-time",
                        "$comment": "Send an RFC 3339 timestamp."
                    }
                }
            }
        }'::jsonb;
end;
comment on function internal.incidents_schema() is
'JSON Schema of the incidents of a back-test: [{from, to}].';
