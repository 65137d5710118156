create or replace function internal.alert_query(
    p_condition jsonb, p_by text, p_label text, p_from timestamptz, p_to timestamptz
)
returns jsonb
language plpgsql immutable parallel safe
as $$
declare
    v_metric constant jsonb := coalesce(p_condition -> 'during', p_condition);
    v_labels jsonb := coalesce(v_metric #> '{where,labels}', '{}');
    v_source text := v_metric #>> '{where,source}';
begin
    if v_metric ? 'statistic' then
        if p_by = 'source' then
            v_source := p_label;
        elsif p_by is not null then
            v_labels := v_labels || jsonb_build_object(p_by, p_label);
        end if;
        return jsonb_build_object('operation', 'query_metrics', 'arguments', jsonb_build_object(
            'name', v_metric ->> 'kind',
            'source', v_source,
            'labels', nullif(v_labels, '{}'),
            'from', p_from,
            'to', p_to,
            'step', case
                when p_to - p_from <= internal.longest_sampled_window() then '1m' else '1h'
            end
        ));
    elsif p_condition ? 'after' then
        return jsonb_build_object('operation', 'query_facts', 'arguments', jsonb_build_object(
            'kind', p_condition #>> '{after,kind}',
            coalesce(p_by, 'subject'), nullif(p_label, ''),
            'from', p_from,
            'to', p_to
        ));
    elsif p_condition ->> 'type' = 'burn_rate' then
        return jsonb_build_object('operation', 'query_sla', 'arguments', jsonb_build_object(
            'name', p_label, 'from', p_from, 'to', p_to
        ));
    end if;
    return jsonb_build_object('operation', 'get_health', 'arguments', jsonb_build_object('name', p_label));
end
$$;
comment on function internal.alert_query(jsonb, text, text, timestamptz, timestamptz) is
'The operation, and its arguments, that shows what a condition looked at for a group.';
