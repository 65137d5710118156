create or replace function internal.explain_items(
    p_bad_items jsonb, p_bad integer, p_now timestamptz, p_facts boolean
)
returns jsonb
language plpgsql stable
as $$
declare
    c_most constant integer := 1000;
    v_refusal jsonb;
begin
    with bad as (
        select
            entry.*,
            -- As read_items wraps it.
            entry.item ? '' and entry.item - '' = '{}' as not_an_object
        from jsonb_to_recordset(p_bad_items) as entry (index integer, item jsonb)
    ),
    fault as (
        select
            bad.index,
            fault.*
        from bad
        cross join lateral internal.metric_faults(bad.item, p_now) as fault
        where not p_facts and not bad.not_an_object
        union all
        select
            bad.index,
            fault.*
        from bad
        cross join lateral internal.fact_faults(bad.item, p_now) as fault
        where p_facts and not bad.not_an_object
        union all
        select
            bad.index,
            rule.field,
            rule.slug,
            rule.detail
        from bad
        inner join internal.item_rules() as rule on rule.slug = 'item_is_object'
        where bad.not_an_object
    ),
    numbered as (
        select
            fault.*,
            row_number() over (order by index, field, slug) as n
        from fault
    )
    select jsonb_build_object(
        'items',
        jsonb_agg(
            jsonb_build_object('index', index, 'field', field, 'slug', slug, 'detail', detail) order by n
        ) filter (where n <= c_most)
    ) || case
        when count(distinct index) filter (where n <= c_most) < p_bad
            then jsonb_build_object('omitted', p_bad - count(distinct index) filter (where n <= c_most))
        else '{}'
    end
    into v_refusal
    from numbered;
    return v_refusal;
end
$$;
comment on function internal.explain_items(jsonb, integer, timestamptz, boolean) is
'Every rule that the bad items [{index, item}] break, at most 1000 entries: {items: [{index, field,
slug, detail}], omitted}. omitted counts those of all p_bad items that have no entry; absent when 0.';
