create or replace function internal.alert_labels(
    p_name text, p_document jsonb, p_by text, p_label text
)
returns jsonb
language sql immutable parallel safe
begin atomic
    select
        (p_document -> 'labels')
        || case when p_by is null then '{}' else jsonb_build_object(p_by, p_label) end
        || jsonb_build_object('alertname', p_name, 'severity', p_document -> 'severity');
end;
comment on function internal.alert_labels(text, jsonb, text, text) is
'The labels of an alert: those of its rule, label p_by of its group, alertname and severity.';
