create or replace function internal.kpi_contributions(
    p_document jsonb, p_parts data.kpi_part[], p_former data.kpi_part[], p_limit integer
)
returns json
language sql stable
begin atomic
    with part as (
        select
            coalesce(present.source, former.source) as source,
            present.numerator,
            present.denominator,
            former.numerator as numerator_before,
            former.denominator as denominator_before
        from unnest(p_parts) as present
        full join unnest(p_former) as former on present.source = former.source
    ),

    shared as (
        select
            part.*,
            internal.kpi_scale(p_document) * case
                when p_document ? 'denominator'
                    then internal.contribution(
                        coalesce(numerator, 0),
                        coalesce(denominator, 0),
                        coalesce(numerator_before, 0),
                        coalesce(denominator_before, 0),
                        sum(denominator) over (),
                        coalesce(sum(numerator_before) over (), 0),
                        sum(denominator_before) over ()
                    )
                else coalesce(numerator, 0) - coalesce(numerator_before, 0)
            end as contribution
        from part
    ),

    ranked as (
        select
            shared.*,
            row_number() over (order by abs(contribution) desc nulls last, source) as place
        from shared
    )

    select
        coalesce(
            json_agg(
                json_build_object(
                    'source', source,
                    'value', internal.kpi_value(p_document, numerator, denominator),
                    'numerator', numerator,
                    'denominator', denominator,
                    'previous', internal.kpi_value(p_document, numerator_before, denominator_before),
                    'contribution', contribution
                ) order by place
            ),
            '[]'
        )
    from ranked
    where place <= p_limit;
end;
comment on function internal.kpi_contributions(jsonb, data.kpi_part[], data.kpi_part[], integer) is
'The sources of a KPI in a window (p_parts) and in the one before (p_former), those first that moved it
most: [{source, value, numerator, denominator, previous, contribution}]. The contributions of all sources
add up to the change of the KPI.';
