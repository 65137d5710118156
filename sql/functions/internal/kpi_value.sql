create or replace function internal.kpi_value(
    p_document jsonb, p_numerator double precision, p_denominator double precision
)
returns double precision
language sql immutable parallel safe
begin atomic
    select case
        -- Where nothing was counted, that is zero; only a division by nothing is unknown.
        when not p_document ? 'denominator' then coalesce(p_numerator, 0)
        when p_denominator is not null then internal.quotient(coalesce(p_numerator, 0), p_denominator)
    end * internal.kpi_scale(p_document);
end;
comment on function internal.kpi_value(jsonb, double precision, double precision) is
'The value of a KPI, in its unit; null where there is nothing to divide by.';
