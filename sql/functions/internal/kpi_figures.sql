create or replace function internal.kpi_figures(p_document jsonb, p_parts data.kpi_part[]) returns json
language sql stable
begin atomic
    select
        json_build_object(
            'value', internal.kpi_value(p_document, total.numerator, total.denominator),
            'numerator', total.numerator,
            'denominator', total.denominator
        )
    from (
        select
            sum(part.numerator) as numerator,
            sum(part.denominator) as denominator
        from unnest(p_parts) as part
    ) as total;
end;
comment on function internal.kpi_figures(jsonb, data.kpi_part[]) is
'A KPI over all of its sources: {value, numerator, denominator}.';
