create or replace function internal.audited_before(p_table text, p_row jsonb) returns jsonb
language sql stable
begin atomic
    select
        case p_table
            when 'alert_rule_version'
                then (
                    select to_jsonb(former.*)
                    from data.alert_rule_version as former
                    where
                        former.rule_id = (p_row ->> 'rule_id')::bigint
                        and former.version < (p_row ->> 'version')::integer
                    order by former.version desc
                    limit 1
                )
            when 'kpi_version'
                then (
                    select to_jsonb(former.*)
                    from data.kpi_version as former
                    where
                        former.kpi_id = (p_row ->> 'kpi_id')::bigint
                        and former.version < (p_row ->> 'version')::integer
                    order by former.version desc
                    limit 1
                )
            when 'server_version'
                then (
                    select to_jsonb(former.*)
                    from data.server_version as former
                    where
                        former.server_id = (p_row ->> 'server_id')::bigint
                        and former.valid << (p_row ->> 'valid')::tstzrange
                    order by former.valid desc
                    limit 1
                )
            when 'maintenance' then (
                select to_jsonb(former.*)
                from data.every_maintenance as former
                where
                    former.namespace = p_row ->> 'namespace'
                    and former.maintenance_id = p_row ->> 'maintenance_id'
                    and former.server_id = (p_row ->> 'server_id')::bigint
                    and upper(former.recorded) = lower((p_row ->> 'recorded')::tstzrange)
            )
        end;
end;
comment on function internal.audited_before(text, jsonb) is
'The row that a new row of a table continues, where a change is a new row; null where it continues none.';
