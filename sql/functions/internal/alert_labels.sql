create or replace function internal.alert_labels(p_name text, p_document jsonb, p_label text)
returns jsonb
language sql immutable parallel safe
begin atomic
    select
        coalesce(p_document -> 'labels', '{}')
        || case
            when internal.rule_label(p_document -> 'condition') is null then '{}'
            else jsonb_build_object(internal.rule_label(p_document -> 'condition'), p_label)
        end
        || jsonb_build_object('alertname', p_name, 'severity', p_document ->> 'severity');
end;
comment on function internal.alert_labels(text, jsonb, text) is
'The labels of an alert of a rule for a group: those of the rule, the group, alertname and severity.';
