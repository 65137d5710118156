create or replace function internal.explain_items(
    p_bad_items jsonb, p_now timestamptz, p_type text
)
returns jsonb
language plpgsql stable
as $$
declare
    -- Every bad item has an entry; only the first ones have an entry for each rule, up to a limit.
    c_items_in_full constant integer := 1000;
    c_rules_of_an_item constant integer := 20;
    v_entries jsonb;
begin
    with bad as (
        select
            entry.*,
            -- As read_items wraps it.
            entry.item ? '' and entry.item - '' = '{}' as not_an_object
        from jsonb_to_recordset(p_bad_items) as entry (index integer, item jsonb, kind_type text, kind_unit text)
    ),
    fault as (
        select
            bad.index,
            fault.*
        from bad
        cross join
            lateral internal.metric_faults(bad.item, bad.kind_type, bad.kind_unit, p_now) as fault
        where p_type = 'metric' and not bad.not_an_object
        union all
        select
            bad.index,
            fault.*
        from bad
        cross join lateral internal.fact_faults(bad.item, p_now) as fault
        where p_type = 'fact' and not bad.not_an_object
        union all
        select
            bad.index,
            fault.*
        from bad
        cross join lateral internal.report_faults(bad.item, p_now) as fault
        where p_type = 'report' and not bad.not_an_object
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
            dense_rank() over (order by index) as nth_item,
            row_number() over (partition by index order by field, slug) as nth_rule
        from fault
    )
    select
        jsonb_agg(
            jsonb_build_object(
                'index', numbered.index,
                'field', numbered.field,
                'slug', numbered.slug,
                'detail', concat_ws(
                    ' ',
                    numbered.detail,
                    -- Only the first ones: a search compares all names.
                    case
                        when numbered.slug = 'server_registered' and numbered.nth_item <= 10
                            then nullif(trim(internal.suggestion(
                                internal.nearest_server(bad.item ->> 'server')
                            )), '')
                    end
                )
            )
            order by numbered.index, numbered.nth_rule
        )
    into v_entries
    from numbered
    inner join bad on numbered.index = bad.index
    where nth_rule <= case when nth_item <= c_items_in_full then c_rules_of_an_item else 1 end;
    return v_entries;
end
$$;
comment on function internal.explain_items(jsonb, timestamptz, text) is
'The rules that bad items of a type (metric, fact, report) break. The items are
[{index, item, kind_type, kind_unit}], the answer [{index, field, slug, detail}] in order of index and
field. Every bad item has an entry; the first 1000 have one for each rule, at most 20.';
