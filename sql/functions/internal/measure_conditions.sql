create or replace function internal.measure_conditions(
    p_rules data.alert_rule_version[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns setof data.alert_reading
language plpgsql stable
as $$
declare
    v_type text;
    v_rules data.alert_rule_version [];
begin
    for v_type, v_rules in
        select
            rule.document #>> '{condition,type}',
            array_agg(rule)
        from unnest(p_rules) as rule
        group by 1
    loop
        case v_type
            when 'metric' then
                return query select * from internal.measure_metrics(v_rules, p_from, p_to, p_step);
            when 'health' then
                return query select * from internal.measure_health(v_rules, p_from, p_to, p_step);
            when 'keepalive' then
                return query select * from internal.measure_keepalives(v_rules, p_from, p_to, p_step);
            when 'burn_rate' then
                return query select * from internal.measure_burn_rates(v_rules, p_from, p_to, p_step);
            when 'fact' then
                return query select * from internal.measure_facts(v_rules, p_from, p_to, p_step);
        end case;
    end loop;
    perform internal.check_chunks('{fact,sample,sample_1h,kind_1h,sample_1d,kind_1d}');
end
$$;
comment on function internal.measure_conditions(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The conditions of rules for every group at each of p_from, p_from + p_step and so on up to p_to: of one
instant for an evaluation, of many for a back-test.';
