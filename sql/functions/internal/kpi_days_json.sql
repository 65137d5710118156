create or replace function internal.kpi_days_json(p_document jsonb, p_parts data.kpi_part[]) returns json
language sql stable
begin atomic
    select
        coalesce(
            json_agg(
                internal.join_json(
                    json_build_object('day', total.day::date),
                    internal.kpi_figures(p_document, total.parts)
                ) order by total.day
            ),
            '[]'
        )
    from (
        select
            day,
            array_agg(row(part.*)::data.kpi_part) as parts
        from unnest(p_parts) as part
        group by day
    ) as total;
end;
comment on function internal.kpi_days_json(jsonb, data.kpi_part[]) is
'A KPI on each day that has any of it: [{day, value, numerator, denominator}].';
