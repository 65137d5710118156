create or replace function internal.alert_rule_faults(p_name text, p_document jsonb) returns jsonb
language plpgsql stable
as $$
declare
    c_most constant integer := 100;
    v_faults jsonb;
begin
    with fault as (
        select * from internal.document_faults(p_name, p_document, internal.alert_rule_schema())
        union all
        select
            'name',
            'name_reserved',
            'The name is the path of another operation. Send another name.'
        where p_name in ('backtest', 'threshold')
        union all
        select
            member.path,
            'label_reserved',
            'The label has a meaning of its own. Send source, or group by another label.'
        from (
            values
            ('condition.group_by', p_document #>> '{condition,group_by}'),
            ('condition.during.group_by', p_document #>> '{condition,during,group_by}')
        ) as member (path, label)
        where member.label in ('label.alertname', 'label.severity', 'label.source', 'label.server')
        union all
        select * from internal.alert_duration_faults(p_document)
        union all
        select * from internal.alert_text_faults(p_document)
        union all
        select * from internal.alert_member_faults(p_document -> 'condition')
        union all
        select * from internal.alert_name_faults(p_document -> 'condition')
    )
    select
        jsonb_agg(
            jsonb_build_object('field', field, 'slug', slug, 'detail', detail) order by field, slug
        )
    into v_faults
    from (
        select *
        from fault
        order by field, slug
        limit c_most
    ) as first_ones;
    return v_faults;
end
$$;
comment on function internal.alert_rule_faults(text, jsonb) is
'The rules that a document of define_alert_rule breaks, at most 100: [{field, slug, detail}] in order of
field; null for a good one.';
