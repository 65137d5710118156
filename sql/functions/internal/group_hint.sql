create or replace function internal.group_hint(p_kind bigint, p_group_by text) returns text
language sql stable
begin atomic
    with known as (
        select coalesce(array_agg(distinct label.name order by label.name), '{}') as names
        from (
            select series.labels
            from data.series
            where series.kind_id = p_kind
            -- Bounds the time of the comparison.
            limit 10000 -- noqa: AM09
        ) as series
        cross join lateral jsonb_object_keys(series.labels) as label (name)
    )

    select
        case kind.type
            when 'fact' then 'Facts have no labels. Group by source, or read their payload in SQL.'
            else internal.unknown_label_hint(substr(p_group_by, length('label.') + 1), known.names)
        end
    from known
    inner join data.kind on kind.kind_id = p_kind
    where
        starts_with(p_group_by, 'label.')
        and not exists (
            select from data.series
            where series.kind_id = p_kind and series.labels ? substr(p_group_by, length('label.') + 1)
        );
end;
comment on function internal.group_hint(bigint, text) is
'What to group a kind by instead of a label that none of its series has; null where one has it.';
