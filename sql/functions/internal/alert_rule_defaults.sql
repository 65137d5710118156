create or replace function internal.alert_rule_defaults(p_document jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    select
        '{
            "for": "0s", "keep_firing_for": "0s", "severity": "warning", "labels": {}, "annotations": {},
            "no_data": "ok", "enabled": true
        }'
        || (p_document - '{name,author}'::text[])
        || jsonb_build_object('condition', internal.alert_condition_defaults(p_document -> 'condition'));
end;
comment on function internal.alert_rule_defaults(jsonb) is
'A rule with every default in its place, without its name and its author.';
