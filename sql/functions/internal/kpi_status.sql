create or replace function internal.kpi_status(p_document jsonb, p_value double precision) returns text
language sql immutable parallel safe
begin atomic
    select case
        when p_value is null then 'no_data'
        when not p_document ? 'target' then 'no_target'
        when
            case p_document ->> 'direction'
                when 'up' then p_value >= (p_document -> 'target')::double precision
                else p_value <= (p_document -> 'target')::double precision
            end
            then 'met'
        else 'missed'
    end;
end;
comment on function internal.kpi_status(jsonb, double precision) is
'How the value of a KPI compares with its target: met, missed, no_target or no_data.';
