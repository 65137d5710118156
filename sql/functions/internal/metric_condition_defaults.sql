create or replace function internal.metric_condition_defaults(p_condition jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    select
        '{"where": {}}'
        || case when p_condition ? 'threshold' then '{"compare": "value"}' else '{}' end::jsonb
        || p_condition
        || case
            when p_condition ? 'divided_by'
                then jsonb_build_object('divided_by', '{"where": {}}' || (p_condition -> 'divided_by'))
            else '{}'
        end;
end;
comment on function internal.metric_condition_defaults(jsonb) is
'A condition on a metric with every default in its place.';
