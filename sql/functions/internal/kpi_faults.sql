create or replace function internal.kpi_faults(p_name text, p_document jsonb) returns jsonb
language plpgsql stable
as $$
declare
    c_most constant integer := 100;
    v_faults jsonb;
begin
    with term as (
        select
            role.name || '.' as path,
            p_document #>> array[role.name, 'kind'] as kind,
            p_document #>> array[role.name, 'statistic'] as statistic
        from unnest('{numerator,denominator}'::text[]) as role (name)
    ),

    fault as (
        select * from internal.document_faults(p_name, p_document, internal.kpi_schema())
        union all
        select
            term.path || 'kind',
            'kind_known',
            'The kind "' || term.kind || '" is not known. '
            || internal.suggestion(internal.nearest_kind(term.kind))
            || 'list_kinds (GET /query/kinds) lists all kinds.'
        from term
        where
            internal.fits(term.kind, 'metric_name')
            and not exists (
                select from data.kind
                where kind.name = term.kind
            )
        union all
        select
            term.path || 'statistic',
            'statistic_of_kind',
            case kind.type
                when 'counter' then
                    'The kind "' || kind.name || '" is a counter, whose readings add up to nothing. Send increase.'
                else 'The kind "' || kind.name || '" is no counter. Send count or sum.'
            end
        from term
        inner join data.kind on term.kind = kind.name
        where
            term.statistic in ('count', 'sum', 'increase')
            and (kind.type = 'counter') <> (term.statistic = 'increase')
        union all
        select
            'target',
            'target_finite',
            'The value is not 0 or from 1e-300 to 1e300, or the negative of that. Send such a number.'
        where
            case jsonb_typeof(p_document -> 'target')
                when 'number' then
                    (p_document -> 'target')::numeric <> 0
                    and abs((p_document -> 'target')::numeric) not between 1e-300 and 1e300
            end
    )

    select
        jsonb_agg(
            jsonb_build_object('field', field, 'slug', slug, 'detail', detail) order by field, slug
        )
    into v_faults
    from (
        select *
        from fault
        order by field, slug
        limit c_most
    ) as first_ones;
    return v_faults;
end
$$;
comment on function internal.kpi_faults(text, jsonb) is
'The rules that a document of define_kpi breaks, at most 100: [{field, slug, detail}] in order of field;
null for a good one.';
