create or replace function internal.kpi_scale(p_document jsonb) returns double precision
language sql immutable parallel safe
begin atomic
    select case when p_document ->> 'unit' = '%' then 100 else 1 end;
end;
comment on function internal.kpi_scale(jsonb) is 'What a KPI is multiplied by to be in its unit.';
